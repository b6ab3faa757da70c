-- Appends a batch. Its entries are numbered through all topics, so that members of several can be given them in
-- the order in which they came. Says how many were taken and what was said of the next one.
--
-- KEYS: the last number, the names of the topics, the streams. ARGV: whether to trim the streams, and from how
-- many milliseconds on a member is forgotten; how many topics there are and their names; then for every message
-- the place of its topic, id, key, ordering and body.
local LAST, TOPICS = KEYS[1], KEYS[2]

local topics = tonumber(ARGV[3])
local time = redis.call('TIME')
local millis, number = string.match(redis.call('GET', LAST) or '0-0', '^(%d+)-(%d+)$')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
millis, number = tonumber(millis), tonumber(number)
if now > millis then millis, number = now, -1 end

local taken, failed = 0, nil
for from = 4 + topics, #ARGV, 5 do
  local stream = KEYS[tonumber(ARGV[from]) + 2]
  local function append(as)
    return redis.pcall('XADD', stream, as, 'id', ARGV[from + 1], 'key', ARGV[from + 2], 'ordering', ARGV[from + 3],
      'body', ARGV[from + 4])
  end
  local id = append(string.format('%.0f-%.0f', millis, number + 1))
  -- Somebody else has written to the stream under a later number.
  if type(id) == 'table' and string.find(id.err, 'equal or smaller', 1, true) then id = append('*') end
  if type(id) == 'table' then
    failed = id.err
    break
  end
  local given = {string.match(id, '^(%d+)-(%d+)$')}
  millis, number = tonumber(given[1]), tonumber(given[2])
  taken = taken + 1
end
if taken > 0 then
  redis.call('SET', LAST, string.format('%.0f-%.0f', millis, number))
  redis.call('SADD', TOPICS, unpack(ARGV, 4, 3 + topics))
end
if ARGV[1] == '1' then
  -- What was taken stays taken, whatever comes of this.
  for place = 3, #KEYS do pcall(trimmed, KEYS[place], tonumber(ARGV[2])) end
end
return {taken, failed or ''}
