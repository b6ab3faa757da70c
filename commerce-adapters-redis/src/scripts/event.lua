-- An event of the log as it is answered: position, stream, version, head, data, personal values.
local function recorded(entry)
  local fields = entry[2]
  local stream, version, personal = fields[2], fields[4], fields[10]
  local values = {}
  for field, subject in string.gmatch(personal, '(%d+),([^;]+)') do
    values[#values + 1] = redis.call('HGET', PERSONAL, subject .. '/' .. stream .. '@' .. version .. '#' .. field)
  end
  return {string.match(entry[1], '^%d+'), stream, version, fields[6], fields[8], values}
end
