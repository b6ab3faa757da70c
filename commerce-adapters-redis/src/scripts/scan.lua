-- A stretch of a table by the text of its keys. ARGV: the table, behind which text or nothing, how many.
local TABLES = {keys = {KEYS[6], KEYS[7]}, pools = {KEYS[8], KEYS[9]}, timers = {KEYS[10], KEYS[12]},
  marks = {KEYS[13], KEYS[14]}}
local rows, names = TABLES[ARGV[1]][1], TABLES[ARGV[1]][2]
local from = ARGV[2] == '' and '-' or '(' .. ARGV[2] .. ARGV[4]
local found = {}
for place, name in ipairs(redis.call('ZRANGEBYLEX', names, from, '+', 'LIMIT', 0, tonumber(ARGV[3]))) do
  local row = redis.call('HGET', rows, name)
  if ARGV[1] == 'timers' then
    local timer = cmsgpack.unpack(row)
    found[place] = {timer.kind, timer.id, timer.label, timer.due}
  else
    found[place] = {name, row}
  end
end
return found
