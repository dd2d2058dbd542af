#!/bin/sh
# Runs the scripts of papers, and puts what they print and draw into their pages: make papers.
#
#   scripts/papers/make.sh EOSS [NAME]...      all papers, or these
#
# A page has its table between the marks <!-- claims --> and <!-- end -->, and the figure NAME.svg beside it; the gallery,
# docs/papers/README.md, has a line a page between the same marks.
set -eu
[ $# -gt 0 ] || { echo 'usage: make.sh EOSS [NAME]...' >&2; exit 2; }
eoss=$1; shift
scripts=$(dirname "$0")
pages=$scripts/../../docs/papers
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Puts the file $2 between the marks of the page $1.
insert() {
  awk -v inner="$2" '
    /^<!-- claims -->$/ { print; while ((getline line < inner) > 0) print line; inside = 1; found = 1; next }
    /^<!-- end -->$/ { inside = 0 }
    !inside { print }
    END { if (!found || inside) exit 1 }' "$1" > "$work/page" || { echo "$1: no marks <!-- claims -->, <!-- end -->" >&2; exit 1; }
  cmp -s "$work/page" "$1" || cp "$work/page" "$1"
}

[ $# -gt 0 ] || set -- $(cd "$scripts" && ls *.lua | sed 's/\.lua$//')
for name; do
  echo "paper: $name" >&2
  "$eoss" run --quiet --out "$work/$name" "$scripts/$name.lua" > "$work/$name.txt" 2> "$work/$name.log" || { cat "$work/$name.log" >&2; exit 1; }
  { echo '```text'; cat "$work/$name.txt"; echo '```'; } > "$work/inner"
  insert "$pages/$name.md" "$work/inner"
  cp "$work/$name/$name.svg" "$pages/$name.svg"
done

# Each page has its title in its first line, and its verdicts at the ends of the lines of its table.
for page in "$pages"/*.md; do
  name=$(basename "$page" .md)
  [ -e "$scripts/$name.lua" ] || continue
  awk -v name="$name" '
    NR == 1 { title = substr($0, 3) }
    /^<!-- claims -->$/ { inside = 1 }
    /^<!-- end -->$/ { inside = 0 }
    inside && / yes$/ { held++ }
    inside && / NO$/ { failed++ }
    END { printf "| [%s](%s.md) | `scripts/papers/%s.lua` | %d of %d |\n", title, name, name, held, held + failed }' "$page"
done > "$work/rows"
{ echo '| paper | script | claims that hold |'; echo '| --- | --- | --- |'; cat "$work/rows"; } > "$work/inner"
insert "$pages/README.md" "$work/inner"
