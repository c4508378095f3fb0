# Prints which of the symbols in the second file the first file names, those first that it names
# exactly. A Rust name is told by a number made from it (see `key`) and by the hash at its end,
# or by a part of it (`~part`). `=name` is the name of a C function: those are in none of our
# objects, and are printed as they are.
#
# The hash tells one use of a generic function from all others, and changes with the
# dependencies. Where it has changed the names are still right, but stand for more than was run.
BEGIN { for (at = 32; at < 127; at++) code[sprintf("%c", at)] = at }

function key(name,    at, number) {
    sub(/17h[0-9a-f]+E.*$/, "", name)
    number = 7
    for (at = 1; at <= length(name); at++) number = (number * 31 + code[substr(name, at, 1)]) % 2147483629
    return sprintf("%08x", number)
}

function hash(name) {
    return match(name, /17h[0-9a-f]+E/) ? substr(name, RSTART + 3, 8) : "-"
}

names { print key($0), hash($0); next }
FNR == NR {
    if (/^#/) next
    if (/^~/) parts[++count] = substr($0, 2)
    else if (/^=/) print substr($0, 2)
    else { named[$1]; exact[$1, $2] }
    next
}
{
    name = key($0)
    if ((name, hash($0)) in exact) { print; next }
    for (at = 1; at <= count; at++) if (index($0, parts[at])) { print; next }
    if (name in named) rest[++more] = $0
}
END { for (at = 1; at <= more; at++) print rest[at] }
