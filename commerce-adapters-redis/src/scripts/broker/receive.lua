-- Hands entries out to a member of a group: those whose pause is over, those whose member let its time go by, and
-- new ones in the order of their numbers.
--
-- KEYS: of every source its stream, the entries that were postponed by the time when they are due, and when
-- entries that come again came first; the first source is the group's own, the others are topics. ARGV: the
-- group, the member, at most how many, for how many milliseconds an entry is a member's own.
local group, member, room, own = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local sources, taken = {}, {}

for place = 1, #KEYS / 3 do
  local source = {place = place, stream = KEYS[place * 3 - 2], later = KEYS[place * 3 - 1], first = KEYS[place * 3]}
  -- A group that is not there, or not there any more, begins with the oldest entry.
  local known = redis.pcall('XPENDING', source.stream, group)
  if known.err then
    if not string.find(known.err, 'NOGROUP', 1, true) then return known end
    redis.call('XGROUP', 'CREATE', source.stream, group, '0', 'MKSTREAM')
    source.pending = 0
  else
    source.pending = known[1]
  end
  sources[place] = source
end

local function hand_out(source, entry, deliveries)
  local millis, number = string.match(entry[1], '^(%d+)-(%d+)$')
  taken[#taken + 1] = {source.place, entry[1], deliveries, entry[2], tonumber(millis), tonumber(number)}
  room = room - 1
end

-- Makes pending entries the member's own; those that are no longer in the stream are forgotten.
local function claim(source, pending)
  if #pending == 0 then return end
  local ids, known = {}, {}
  for place, entry in ipairs(pending) do
    ids[place] = entry[1]
    known[entry[1]] = entry
  end
  for _, entry in ipairs(redis.call('XCLAIM', source.stream, group, member, 0, unpack(ids))) do
    if entry then
      local _, _, idle, deliveries = unpack(known[entry[1]])
      -- Only what a dead letter tells: a server that is full need not note it.
      if deliveries == 1 then
        redis.pcall('HSETNX', source.first, entry[1], string.format('%.0f', now - idle * 1000))
      end
      known[entry[1]] = nil
      hand_out(source, entry, deliveries + 1)
    end
  end
  for id in pairs(known) do redis.call('HDEL', source.first, id) end
end

local function due(source)
  if source.pending == 0 or room == 0 then return end
  local ids = redis.call('ZRANGEBYSCORE', source.later, '-inf', string.format('%.0f', now), 'LIMIT', 0, room)
  if #ids == 0 then return end
  local pending = {}
  for _, id in ipairs(ids) do
    pending[#pending + 1] = redis.call('XPENDING', source.stream, group, id, id, 1)[1]
  end
  redis.call('ZREM', source.later, unpack(ids))
  claim(source, pending)
end

local function lost(source)
  if source.pending == 0 then return end
  local from = '-'
  while room > 0 do
    local wanted, pending = room, {}
    local found = redis.call('XPENDING', source.stream, group, 'IDLE', own, from, '+', wanted)
    for _, entry in ipairs(found) do
      from = '(' .. entry[1]
      if redis.call('ZSCORE', source.later, entry[1]) then
        -- It waits for its pause; so that it is not looked at for a while.
        redis.call('XCLAIM', source.stream, group, member, 0, entry[1], 'JUSTID')
      else
        pending[#pending + 1] = entry
      end
    end
    claim(source, pending)
    if #found < wanted then return end
  end
end

local function fresh(source, count)
  if count == 0 then return end
  local answer = redis.call('XREADGROUP', 'GROUP', group, member, 'COUNT', count, 'STREAMS', source.stream, '>')
  for _, entry in ipairs(answer and answer[1][2] or {}) do hand_out(source, entry, 1) end
end

local function earlier(one, other)
  if one[5] ~= other[5] then return one[5] < other[5] end
  return one[6] < other[6]
end

-- What is new in several topics is taken as it follows one another, no more of each than there is room for.
local function fresh_of_all()
  local heads, shares = {}, {}
  for place = 2, #sources do
    shares[place] = 0
    local stream, behind = sources[place].stream, '0-0'
    for _, known in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
      local told = {}
      for field = 1, #known, 2 do told[known[field]] = known[field + 1] end
      if told.name == group then behind = told['last-delivered-id'] end
    end
    for _, entry in ipairs(redis.call('XRANGE', stream, '(' .. behind, '+', 'COUNT', room)) do
      local millis, number = string.match(entry[1], '^(%d+)-(%d+)$')
      heads[#heads + 1] = {place, 0, 0, 0, tonumber(millis), tonumber(number)}
    end
  end
  table.sort(heads, earlier)
  for place = 1, math.min(room, #heads) do shares[heads[place][1]] = shares[heads[place][1]] + 1 end
  local again = taken
  taken = {}
  for place = 2, #sources do fresh(sources[place], shares[place]) end
  table.sort(taken, earlier)
  for _, entry in ipairs(taken) do again[#again + 1] = entry end
  taken = again
end

for _, source in ipairs(sources) do due(source) end
for _, source in ipairs(sources) do lost(source) end
fresh(sources[1], room)
if #sources == 2 then
  fresh(sources[2], room)
elseif room > 0 then
  fresh_of_all()
end

-- Where there is nothing: behind which numbers to wait, and at most until when.
local ends, next = {}, ''
if #taken == 0 then
  for place, source in ipairs(sources) do
    local told = redis.call('XINFO', 'STREAM', source.stream)
    for field = 1, #told, 2 do
      if told[field] == 'last-generated-id' then ends[place] = told[field + 1] end
    end
    local first = redis.call('ZRANGE', source.later, 0, 0, 'WITHSCORES')[2]
    if first and (next == '' or first - now < next) then next = first - now end
  end
end
for _, entry in ipairs(taken) do entry[5], entry[6] = nil, nil end
return {taken, ends, next == '' and '' or string.format('%.0f', math.max(next, 0))}
