-- Everything that a decision needs, in one consistent look. ARGV: the questions as JSON.
local LOG, HEADS, AT, SNAPSHOTS, PERSONAL = KEYS[1], KEYS[3], KEYS[4], KEYS[5], KEYS[16]
local OWNERS, OWNER_NAMES, POOLS, MARKS = KEYS[6], KEYS[7], KEYS[8], KEYS[13]

local asked = cjson.decode(ARGV[1])
local streams, owners, pools, marks, directory = {}, {}, {}, {}, {}
for place, query in ipairs(asked.streams) do
  local stream, after = query.stream, query.after
  local head = tonumber(redis.call('HGET', HEADS, stream) or '0')
  local snapshot, events = {}, {}
  if query.schema then
    local stored = redis.call('HGET', SNAPSHOTS, stream)
    if stored then
      local version, schema, data = string.match(stored, '^(%d+) (%d+) (.*)$')
      if schema == query.schema and tonumber(version) > after then
        snapshot, after = {version, schema, data}, tonumber(version)
      end
    end
  end
  for version = after + 1, head do
    local position = redis.call('HGET', AT, stream .. '@' .. version)
    local entry = redis.call('XRANGE', LOG, position .. '-0', position .. '-0')[1]
    events[#events + 1] = recorded(entry)
  end
  streams[place] = {tostring(head), snapshot, events}
end
for place, name in ipairs(asked.owners) do owners[place] = redis.call('HGET', OWNERS, name) end
for place, name in ipairs(asked.pools) do pools[place] = redis.call('HGET', POOLS, name) or '0 0 0 0' end
for place, name in ipairs(asked.marks) do marks[place] = redis.call('HGET', MARKS, name) end
for place, query in ipairs(asked.directory) do
  -- A scope and a key together may read like another scope and another key: the length tells them apart.
  local found, cursor = {}, '[' .. query.prefix
  local last = '(' .. query.prefix .. '\255'
  while #found < query.limit do
    local members = redis.call('ZRANGEBYLEX', OWNER_NAMES, cursor, last, 'LIMIT', 0, 200)
    for _, member in ipairs(members) do
      if #found < query.limit and string.match(member, '%z(%d+)$') == query.scope then
        found[#found + 1] = {member, redis.call('HGET', OWNERS, member)}
      end
      cursor = '(' .. member
    end
    if #members < 200 then break end
  end
  directory[place] = found
end
return {streams, owners, pools, marks, directory}
