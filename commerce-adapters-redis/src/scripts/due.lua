-- Leases due timers. ARGV: the time and the end of a lease that begins now, or nothing for the server's own
-- time; the span of a lease in microseconds; at most how many; the kinds as JSON.
local COUNTERS, TIMERS, AGENDA = KEYS[2], KEYS[10], KEYS[11]
local now, till, span, limit = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
if now == '' then
  now = '1' .. string.format('%019.0f', micros)
  till = micros + span < 9007199254740992 and '1' .. string.format('%019.0f', micros + span) or ARGV[6]
end
local kinds, any = {}, true
for _, kind in ipairs(cjson.decode(ARGV[5])) do kinds[kind], any = true, false end
local taken, next, cursor, over = {}, nil, '-', false
-- A primary may have been lost before it told this server of its last tokens: time tells them apart.
local token = tonumber(redis.call('HGET', COUNTERS, 'token') or 0)
while not over do
  local members = redis.call('ZRANGEBYLEX', AGENDA, cursor, '+', 'LIMIT', 0, 200)
  for _, member in ipairs(members) do
    cursor = '(' .. member
    local due, name = string.match(member, '^(%d+)|(.*)$')
    local timer = cmsgpack.unpack(redis.call('HGET', TIMERS, name))
    if not over and (any or kinds[timer.kind]) then
      local ready = timer.till > now and timer.till or due
      local full = #taken >= limit
      if ready > now or full then
        if not next or ready < next then next = ready end
        -- What stands behind is due later; but a lease that ends sooner may hide there.
        over = due > now or (full and ready <= now)
      else
        token = math.max(token + 1, micros)
        timer.token, timer.till = string.format('%.0f', token), till
        redis.call('HSET', TIMERS, name, cmsgpack.pack(timer))
        taken[#taken + 1] = {timer.kind, timer.id, timer.label, due, timer.payload, timer.token}
      end
    end
  end
  over = over or #members < 200
end
if #taken > 0 then redis.call('HSET', COUNTERS, 'token', string.format('%.0f', token)) end
return {now, next or '', taken}
