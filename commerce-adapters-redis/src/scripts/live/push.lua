-- Keeps updates in the replay buffers of their channels and pushes them to who follows, in one step. Says how many
-- were taken and what was said of the next one.
--
-- KEYS: the last numbers, the buffers. ARGV: how many updates a buffer keeps; the names of the channels, one for
-- each buffer; then for every update the place of its channel and its body.
local LAST, kept = KEYS[1], ARGV[1]
local channels = #KEYS - 1

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local millis, number = string.match(redis.call('HGET', LAST, 'all') or '0-0', '^(%d+)-(%d+)$')
millis, number = tonumber(millis), tonumber(number)
if now > millis then millis, number = now, -1 end
local before = {}
for place = 1, channels do before[place] = redis.call('HGET', LAST, ARGV[1 + place]) or '0-0' end

local taken, failed = 0, nil
for from = 2 + channels, #ARGV, 2 do
  local place, body = tonumber(ARGV[from]), ARGV[from + 1]
  local buffer = KEYS[1 + place]
  local function append(as)
    return redis.pcall('XADD', buffer, 'MAXLEN', '=', kept, as, 'before', before[place], 'body', body)
  end
  local id = append(string.format('%.0f-%.0f', millis, number + 1))
  -- The last numbers were lost, or somebody else has written to the buffer.
  if type(id) == 'table' and string.find(id.err, 'equal or smaller', 1, true) then id = append('*') end
  if type(id) == 'table' then
    failed = id.err
    break
  end
  taken = taken + 1
  -- Who follows and is not told finds it in the buffer, when the next one tells what stands before it.
  local told = redis.pcall('PUBLISH', buffer, id .. ' ' .. before[place] .. ' ' .. body)
  local given = {string.match(id, '^(%d+)-(%d+)$')}
  millis, number = tonumber(given[1]), tonumber(given[2])
  before[place] = id
  redis.call('HSET', LAST, 'all', id, ARGV[1 + place], id)
  if type(told) == 'table' then
    failed = told.err
    break
  end
end
return {taken, failed or ''}
