-- Removes an entry. KEYS: the entry, the marks, the memory of its removal. ARGV: the version or nothing, how
-- long the removal is remembered, how long marks are kept, '<' and the marks of the prefixes of the key.
local function kept(answer) return not (type(answer) == 'table' and answer.err) end
local known = redis.call('HMGET', KEYS[1], 'v', 's', 't', 'b')
local live = stands(known, 4)
local before = known[1] or ''
if live and ARGV[1] ~= '' and before >= ARGV[1] then return 0 end
-- What is there goes in any case; that it went is remembered where the server has room.
redis.call('DEL', KEYS[1])
local answer = live and 1 or 0
local now = redis.call('ZSCORE', KEYS[2], '>')
if not now then
  local time = redis.call('TIME')
  now = string.format('%.0f', time[1] * 1000000 + time[2])
  if not kept(redis.pcall('ZADD', KEYS[2], now, '<', now, '>')) then return answer end
end
now = redis.pcall('ZINCRBY', KEYS[2], 1, '>')
if not kept(now) then return answer end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
local version = redis.call('HGET', KEYS[3], 'v') or '00000000000000000000'
if before > version then version = before end
if ARGV[1] > version then version = ARGV[1] end
local fields = {'v', version}
if ARGV[1] == '' then fields = {'v', version, 'r', now} end
if kept(redis.pcall('HSET', KEYS[3], unpack(fields))) then redis.call('PEXPIRE', KEYS[3], ARGV[2]) end
return answer
