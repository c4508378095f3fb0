# Prints which of the symbols in the second file the first file names: by the hash at the end of a
# Rust name, by a part of the name (`~part`), or as a whole. The names of C functions are in none
# of our objects and are printed as they are.
FNR == NR {
    if (/^#/ || /^$/) next
    if (/^~/) { parts[++count] = substr($0, 2); next }
    named[$0]
    if (!/^_/ && !/^[0-9a-f]*$/) print
    next
}
{
    key = $0
    if (key ~ /17h[0-9a-f]*E$/) key = substr(key, length(key) - 16, 16)
    if (key in named) { print; next }
    for (at = 1; at <= count; at++) if (index($0, parts[at])) { print; next }
}
