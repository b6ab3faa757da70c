-- A session, which lasts its idle time again. KEYS: the session.
local known = redis.call('HMGET', KEYS[1], 'd', 'r', 'i')
if not known[2] then return {} end
redis.call('PEXPIRE', KEYS[1], known[3])
return {known[1], known[2]}
