# Prints which of the symbols in the second file the first file names. A Rust name is told by a
# number made from it (see `key`), or by a part of it (`~part`). `=name` is the name of a C
# function: those are in none of our objects, and are printed as they are.
BEGIN { for (at = 32; at < 127; at++) code[sprintf("%c", at)] = at }

# The hash at the end of a Rust name is left out: it changes with every version of the program.
function key(name,    at, number) {
    sub(/17h[0-9a-f]+E.*$/, "", name)
    number = 7
    for (at = 1; at <= length(name); at++) number = (number * 31 + code[substr(name, at, 1)]) % 2147483629
    return sprintf("%08x", number)
}

names { print key($0); next }
FNR == NR {
    if (/^#/) next
    if (/^~/) parts[++count] = substr($0, 2)
    else if (/^=/) print substr($0, 2)
    else named[$0]
    next
}
{
    if (key($0) in named) { print; next }
    for (at = 1; at <= count; at++) if (index($0, parts[at])) { print; next }
}
