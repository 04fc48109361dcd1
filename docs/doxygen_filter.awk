# Turns the plain comments of the headers into Doxygen's: a block before a declaration, one behind a member, and the
# first one of a file, which is about the file. Lines such as `// ---- text` stay as they are.
function text_of(line) {
  sub(/^ *\/\/ ?/, "", line)
  gsub(/[<>@\\#%]/, "\\\\&", line)
  return line
}
NR == 1 && /^\/\// { print "/// @file"; in_head = 1 }
in_head && !/^\/\// { in_head = 0 }
/^ *\/\/ ----/ { print; next }
/^ *\/\// {
  match($0, /^ */)
  print substr($0, 1, RLENGTH) "/// " text_of($0)
  next
}
/[;,{}] +\/\/ / && !/"[^"]*\/\/[^"]*"/ {
  at = index($0, "// ")
  print substr($0, 1, at - 1) "///< " text_of(substr($0, at))
  next
}
{ print }
