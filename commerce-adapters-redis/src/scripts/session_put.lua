-- Writes a session. KEYS: the session. ARGV: the data, the idle time in milliseconds, the revision that is
-- expected, `0` for none, or nothing for any.
local known = redis.call('HGET', KEYS[1], 'r') or '0'
if ARGV[3] ~= '' and ARGV[3] ~= known then return 0 end
local revision = string.format('%.0f', known + 1)
redis.call('HSET', KEYS[1], 'd', ARGV[1], 'r', revision, 'i', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return revision
