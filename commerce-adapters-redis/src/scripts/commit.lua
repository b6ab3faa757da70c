-- One commit: everything is validated first and written last, because a script that fails keeps what it
-- has written. Numbers arrive as text; whatever does not fit a double exactly is decided by the caller.
--
-- ARGV: the time, or nothing for the server's own; the plan as JSON; then the blobs that the plan counts.
local LOG, COUNTERS, HEADS, AT, SNAPSHOTS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local OWNERS, OWNER_NAMES, POOLS, POOL_NAMES = KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local TIMERS, AGENDA, TIMER_NAMES, MARKS, MARK_NAMES = KEYS[10], KEYS[11], KEYS[12], KEYS[13], KEYS[14]
local LEASES, PERSONAL, PERSONAL_NAMES, SUBJECTS, ERASED = KEYS[15], KEYS[16], KEYS[17], KEYS[18], KEYS[19]

local plan = cjson.decode(ARGV[2])
local function blob(number) return ARGV[number + 2] end
local now = ARGV[1]
if now == '' then
  local time = redis.call('TIME')
  now = '1' .. string.format('%019.0f', time[1] * 1000000 + time[2])
end

if plan.mark then
  local known = redis.call('HGET', MARKS, plan.mark.name)
  if known then return {'mark', known} end
end
if plan.lease then
  local known = redis.call('HGET', TIMERS, plan.lease.timer)
  local timer = known and cmsgpack.unpack(known)
  if not (timer and timer.token == plan.lease.token and timer.till > now) then return {'lease'} end
end
if plan.fence then
  local known = redis.call('HGET', LEASES, plan.fence.name) or ''
  local token, till = string.match(known, '^(%d+) (%d+)$')
  if not (token == plan.fence.token and till > now) then return {'fence'} end
end
for place, version in ipairs(plan.versions) do
  local actual = redis.call('HGET', HEADS, version[1]) or '0'
  if actual ~= version[2] then return {'stale', place, actual} end
end

local function owner_of(stored) return string.match(stored, '^[^%z]*') end
local writes, taken = {}, nil
for _, release in ipairs(plan.release) do
  local stored = redis.call('HGET', OWNERS, release[1])
  if stored and owner_of(stored) == release[2] then writes[release[1]] = false end
end
for place, claim in ipairs(plan.claim) do
  local written, present = writes[claim[1]], nil
  if written == nil then
    local stored = redis.call('HGET', OWNERS, claim[1])
    present = stored and owner_of(stored)
  else
    present = written and written.owner
  end
  if not present or present == claim[2] then
    writes[claim[1]] = {owner = claim[2], subject = claim[3]}
  elseif not taken or claim[4] < taken.rank then
    taken = {rank = claim[4], place = place, owner = present}
  end
end
if taken then return {'taken', taken.place, taken.owner} end

-- Up to here sums of doubles are exact.
local WIDE = 4503599627370496
local levels, raws, shorts, unbalanced, wide = {}, {}, {}, nil, false
local function exact(number)
  if number > WIDE or number < -WIDE then wide = true end
  return number
end
for place, pool in ipairs(plan.pools) do
  local raw = redis.call('HGET', POOLS, pool.name) or '0 0 0 0'
  raws[place] = raw
  if pool.swap then
    if raw ~= pool.swap[1] then return {'again'} end
    levels[place] = pool.swap[2]
  else
    local a, h, l, f = string.match(raw, '^(%S+) (%S+) (%S+) (%S+)$')
    a, h, l, f = exact(tonumber(a)), exact(tonumber(h)), exact(tonumber(l)), exact(tonumber(f))
    local by, guarded = exact(tonumber(pool.available)), exact(tonumber(pool.guarded))
    local available = a + by
    local held, allocated = h + exact(tonumber(pool.held)), l + exact(tonumber(pool.allocated))
    local floor = pool.floor and exact(tonumber(pool.floor)) or f
    local guard = pool.guard and exact(tonumber(pool.guard)) or floor
    if held < 0 or allocated < 0 or (pool.consumes and available + held + allocated < 0) then
      unbalanced = unbalanced or place
    elseif guarded < 0 and available < guard then
      local free = math.max(a + by - guarded - guard, 0)
      shorts[#shorts + 1] = {place, string.format('%.0f', -guarded), string.format('%.0f', free)}
    end
    levels[place] = string.format('%.0f %.0f %.0f %.0f', available, held, allocated, floor)
  end
end
if wide then return {'wide', raws} end
if unbalanced then return {'unbalanced', unbalanced} end
if #shorts > 0 then return {'short', shorts} end

-- Nothing below is refused.
for name, owned in pairs(writes) do
  local personal = owned and owned.subject ~= ''
  if owned and not (personal and redis.call('SISMEMBER', ERASED, owned.subject) == 1) then
    redis.call('HSET', OWNERS, name, owned.owner .. '\0' .. owned.subject)
    redis.call('ZADD', OWNER_NAMES, 0, name)
    if personal then redis.call('ZADD', PERSONAL_NAMES, 0, 'k' .. owned.subject .. '/' .. name) end
  else
    redis.call('HDEL', OWNERS, name)
    redis.call('ZREM', OWNER_NAMES, name)
  end
end
for place, pool in ipairs(plan.pools) do
  redis.call('HSET', POOLS, pool.name, levels[place])
  redis.call('ZADD', POOL_NAMES, 0, pool.name)
end

local function within(set, prefix)
  return redis.call('ZRANGEBYLEX', set, '[' .. prefix, '(' .. prefix .. '\255')
end
local log = tonumber(redis.call('HGET', COUNTERS, 'log') or '0')
for _, append in ipairs(plan.append) do
  local stream = append.stream
  local version = tonumber(redis.call('HGET', HEADS, stream) or '0')
  for _, event in ipairs(append.events) do
    log, version = log + 1, version + 1
    local place, personal = stream .. '@' .. version, {}
    for _, value in ipairs(event.personal) do
      local field, subject = value[1], value[2]
      local name = subject .. '/' .. place .. '#' .. field
      personal[#personal + 1] = field .. ',' .. subject
      redis.call('ZADD', PERSONAL_NAMES, 0, 'v' .. name)
      redis.call('ZADD', SUBJECTS, 0, stream .. '\0' .. subject)
      if value[3] > 0 and redis.call('SISMEMBER', ERASED, subject) == 0 then
        redis.call('HSET', PERSONAL, name, blob(value[3]))
      end
    end
    redis.call('XADD', LOG, log .. '-0', 's', stream, 'v', version, 'h', blob(event.head), 'd',
      blob(event.data), 'p', table.concat(personal, ';'))
    redis.call('HSET', AT, place, log)
  end
  redis.call('HSET', HEADS, stream, version)
  if append.snapshot then
    -- A snapshot made while its subject was being erased would bring the values back.
    local clean = true
    for _, member in ipairs(within(SUBJECTS, stream .. '\0')) do
      local subject = string.sub(member, #stream + 2)
      clean = clean and redis.call('SISMEMBER', ERASED, subject) == 0
    end
    if clean then
      local snapshot = append.snapshot
      redis.call('HSET', SNAPSHOTS, stream, snapshot[1] .. ' ' .. snapshot[2] .. ' ' .. blob(snapshot[3]))
    end
  end
end
redis.call('HSET', COUNTERS, 'log', log)

for _, subject in ipairs(plan.erase) do
  redis.call('SADD', ERASED, subject)
  for _, member in ipairs(within(PERSONAL_NAMES, 'k' .. subject .. '/')) do
    local name = string.sub(member, #subject + 3)
    local stored = redis.call('HGET', OWNERS, name)
    if stored and string.match(stored, '%z(.*)$') == subject then
      redis.call('HDEL', OWNERS, name)
      redis.call('ZREM', OWNER_NAMES, name)
    end
    redis.call('ZREM', PERSONAL_NAMES, member)
  end
  for _, member in ipairs(within(PERSONAL_NAMES, 'v' .. subject .. '/')) do
    redis.call('HDEL', PERSONAL, string.sub(member, 2))
    local stream = string.match(string.sub(member, #subject + 3), '^(.*)@%d+#%d+$')
    redis.call('HDEL', SNAPSHOTS, stream)
    redis.call('ZREM', PERSONAL_NAMES, member)
  end
end

for _, write in ipairs(plan.timers) do
  local before = redis.call('HGET', TIMERS, write.name)
  if before then
    redis.call('ZREM', AGENDA, cmsgpack.unpack(before).due .. '|' .. write.name)
    redis.call('HDEL', TIMERS, write.name)
    redis.call('ZREM', TIMER_NAMES, write.name)
  end
  if write.due then
    local timer = {due = write.due, kind = write.kind, id = write.id, label = write.label,
      payload = blob(write.payload), token = '', till = ''}
    redis.call('HSET', TIMERS, write.name, cmsgpack.pack(timer))
    redis.call('ZADD', AGENDA, 0, write.due .. '|' .. write.name)
    redis.call('ZADD', TIMER_NAMES, 0, write.name)
  end
end
if plan.mark then
  local mark = plan.mark
  local stored = mark.version .. ' ' .. mark.hash .. ' ' .. log .. ' ' .. blob(mark.result)
  redis.call('HSET', MARKS, mark.name, stored)
  redis.call('ZADD', MARK_NAMES, 0, mark.name)
end
return {'done', tostring(log)}
