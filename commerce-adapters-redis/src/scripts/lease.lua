-- Named leases. ARGV: what to do, the name, the token or nothing, the time and the end, or nothing for the
-- server's own time, the span in microseconds, the latest time there is.
local LEASES = KEYS[15]
local deed, name, token, now, till, span = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
if now == '' then
  local time = redis.call('TIME')
  local micros = time[1] * 1000000 + time[2]
  now = '1' .. string.format('%019.0f', micros)
  till = micros + span < 9007199254740992 and '1' .. string.format('%019.0f', micros + span) or ARGV[7]
end
local known = redis.call('HGET', LEASES, name) or '0 0'
local holder, until_then = string.match(known, '^(%d+) (%d+)$')
local lasts = until_then > now
if deed == 'acquire' then
  if lasts then return {} end
  -- The last token may have been given by a primary that was lost before it told this server: time tells them apart.
  local time = redis.call('TIME')
  holder = string.format('%.0f', math.max(tonumber(holder) + 1, time[1] * 1000000 + time[2]))
elseif deed == 'renew' then
  if not (lasts and holder == token) then return {} end
else
  if holder == token then redis.call('HSET', LEASES, name, holder .. ' 0') end
  return {}
end
redis.call('HSET', LEASES, name, holder .. ' ' .. till)
return {holder, till}
