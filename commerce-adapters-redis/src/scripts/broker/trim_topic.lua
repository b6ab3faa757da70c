-- KEYS: the stream. ARGV: from how many milliseconds on a member without messages is forgotten.
return trimmed(KEYS[1], tonumber(ARGV[1]))
