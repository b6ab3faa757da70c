-- Looks at an entry. ARGV: what to do, the span in milliseconds or nothing, '<' and the marks of the prefixes.
local known = redis.call('HMGET', KEYS[1], 'v', 's', 't', 'b')
local live, epoch = stands(known, 3)
if not live then
  -- It can never be read again; on a full server nothing else would free its place.
  if known[4] and not epoch then redis.call('DEL', KEYS[1]) end
  return {redis.call('ZSCORE', KEYS[2], '>') or '0'}
end
if ARGV[1] == 'refresh' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if ARGV[1] ~= 'get' then return {known[1], '', '', 0} end
return {known[1], known[3], known[4], redis.call('PTTL', KEYS[1])}
