-- The limits of one model at one endpoint, for a fleet: one call = one atomic step, by the server's time.
--
-- KEYS: 1 hash of the lane, 2 calls in flight (id -> end of lease), 3 probes (id -> end of lease),
--       4 processes that wait (id -> last seen), 5 hash of the day's slots
-- ARGV: 1 verb, 2 time ("" = the server's; a number only in tests), then by verb (see below).
--
-- The arithmetic is that of buckets.py and limits.py: a bucket of at most one second that refills at
-- 95 % of the limit, and a log of 62 s (here in slots of half a second, each kept until all of it is old)
-- under the full limit. The reply is a list of strings, since Redis cuts numbers to integers.

local SHARE, WINDOW_S, SLOT_S, SLOWDOWN, SLOWEST, RECOVERY = 0.95, 62.0, 0.5, 0.7, 0.1, 0.002
local DAY_SHARE, DAY_SLOT_S, DAY_SLOTS = 0.99, 600, 145
local lane, flying, probes, waiting, day = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local verb, now = ARGV[1], tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1e6
end
local next_argument = 3

local function argument()
  local value = ARGV[next_argument]
  next_argument = next_argument + 1
  return value
end

local function number(field, default)
  local value = redis.call('HGET', lane, field)
  return value and tonumber(value) or default
end

local function set(field, value)
  redis.call('HSET', lane, field, string.format('%.6f', value))
end

local function add(field, amount)
  redis.call('HINCRBY', lane, field, string.format('%d', amount))
end

local function factor()
  local grown = math.max(0, now - number('factor_at', now)) * RECOVERY
  return math.min(1, number('factor', 1) + grown)
end

-- Dimensions come as name, limit per minute; what a response told lately may lower the limit.
local function dimensions()
  local found, share = {}, SHARE * factor()
  local elapsed = math.max(0, now - number('at', now))
  for index = 1, tonumber(argument()) do
    local name, limit = argument(), tonumber(argument())
    if number('told_until:' .. name, 0) > now then
      limit = math.min(limit, number('told:' .. name, limit))
    end
    local rate = limit * share / 60
    local burst = math.max(1, rate)
    local level = math.min(burst, number('level:' .. name, burst) + elapsed * rate)
    found[index] = {name = name, limit = limit, rate = rate, burst = burst, level = level}
  end
  set('at', math.max(now, number('at', now)))
  return found
end

local function save(found)
  for _, dimension in ipairs(found) do
    set('level:' .. dimension.name, dimension.level)
  end
end

-- Forget slots that are old as a whole; `first` and `last` bound the slots that may hold something.
local function forget(found)
  local first, last = number('first', nil), number('last', nil)
  if not first then return end
  while first <= last and (first + 1) * SLOT_S + WINDOW_S - SLOT_S <= now do
    for _, dimension in ipairs(found) do
      local field = dimension.name .. ':' .. first
      local amount = redis.call('HGET', lane, field)
      if amount then
        add('sum:' .. dimension.name, -tonumber(amount))
        redis.call('HDEL', lane, field)
      end
    end
    first = first + 1
  end
  redis.call('HSET', lane, 'first', first)
end

local function log_wait(dimension, amount)
  local over = number('sum:' .. dimension.name, 0) + amount - dimension.limit
  if over <= 0 then return 0 end
  for slot = number('first', 0), number('last', -1) do
    over = over - number(dimension.name .. ':' .. slot, 0)
    if over <= 0 then return (slot + 1) * SLOT_S + WINDOW_S - SLOT_S - now end
  end
  return WINDOW_S
end

local function day_wait(limit, count)
  local first = math.floor(now / DAY_SLOT_S) - DAY_SLOTS + 1
  local over = count - math.max(1, math.floor(limit * DAY_SHARE))
  local fields = redis.call('HGETALL', day)
  for index = 1, #fields, 2 do
    if tonumber(fields[index]) < first then
      redis.call('HDEL', day, fields[index])
    else
      over = over + tonumber(fields[index + 1])
    end
  end
  if over <= 0 then return 0 end
  for slot = first, first + DAY_SLOTS - 1 do
    over = over - tonumber(redis.call('HGET', day, slot) or 0)
    if over <= 0 then return (slot + DAY_SLOTS) * DAY_SLOT_S - now end
  end
  return DAY_SLOT_S
end

local function reply(status, wait, found)
  local list = {
    status, string.format('%.6f', wait), redis.call('ZCARD', flying), string.format('%.4f', factor()),
    redis.call('ZCOUNT', waiting, now - 2, '+inf'), number('epoch', 0),
    string.format('%.6f', math.max(0, number('paused', 0) - now)),
  }
  for _, dimension in ipairs(found) do
    list[#list + 1] = string.format('%.6f', dimension.level)
  end
  for index, value in ipairs(list) do list[index] = tostring(value) end
  return list
end

-- Words of other processes that stand above the limits; nil when nothing speaks against a call.
local function above(probing, permits)
  local parked = number('parked_until', 0)
  if parked == -1 or parked > now then
    local left = parked == -1 and -1 or parked - now
    return {'parked', tostring(left), redis.call('HGET', lane, 'parked_reason') or ''}
  end
  local open_until = number('open_until', 0)
  if open_until > now then return {'open', tostring(open_until - now)} end
  if open_until > 0 and not probing then return {'open', '0'} end
  if open_until == 0 and probing then return {'well'} end
  if probing then
    redis.call('ZREMRANGEBYSCORE', probes, '-inf', now)
    if redis.call('ZCARD', probes) + number('probe_ok', 0) >= permits then
      local soonest = redis.call('ZRANGE', probes, 0, 0, 'WITHSCORES')[2]
      return {'probing', tostring(math.max(0.05, (tonumber(soonest) or now) - now))}
    end
  end
  return nil
end

local verbs = {}

-- take: process, waiting, probing, permits, probe lease, lease, cap in flight (-1), per day (-1),
--       first id, count, dimensions, then one amount per dimension
function verbs.take()
  local process, queue = argument(), tonumber(argument())
  local probing, permits, probe_lease = argument() == '1', tonumber(argument()), tonumber(argument())
  local lease, cap, per_day = tonumber(argument()), tonumber(argument()), tonumber(argument())
  local id, count = argument(), tonumber(argument())
  if queue > 0 then redis.call('ZADD', waiting, now, process) else redis.call('ZREM', waiting, process) end
  local words = above(probing, permits)
  if words then return words end
  local found = dimensions()
  forget(found)
  redis.call('ZREMRANGEBYSCORE', flying, '-inf', now)
  if cap >= 0 and redis.call('ZCARD', flying) + count > math.max(1, math.floor(cap * factor())) then
    save(found)
    return reply('wait', -1, found)
  end
  local wait = math.max(0, number('paused', 0) - now)
  if per_day >= 0 then wait = math.max(wait, day_wait(per_day, count)) end
  for _, dimension in ipairs(found) do
    dimension.amount = tonumber(argument()) * count
    local lacking = math.min(dimension.amount, dimension.burst) - dimension.level
    if lacking > 1e-6 then wait = math.max(wait, lacking / dimension.rate) end
    wait = math.max(wait, log_wait(dimension, dimension.amount))
  end
  if wait > 0 then
    save(found)
    return reply('wait', wait, found)
  end
  local slot = math.floor(now / SLOT_S)
  if not number('first', nil) then redis.call('HSET', lane, 'first', slot) end
  slot = math.max(slot, number('first', slot))
  redis.call('HSET', lane, 'last', math.max(slot, number('last', slot)))
  for _, dimension in ipairs(found) do
    dimension.level = dimension.level - dimension.amount
    add(dimension.name .. ':' .. slot, dimension.amount)
    add('sum:' .. dimension.name, dimension.amount)
  end
  save(found)
  for index = 1, count do redis.call('ZADD', flying, now + lease, id .. ':' .. index) end
  if per_day >= 0 then redis.call('HINCRBY', day, math.floor(now / DAY_SLOT_S), count) end
  if probing then redis.call('ZADD', probes, now + probe_lease, id .. ':1') end
  local list = reply('held', 0, found)
  list[2] = tostring(slot)
  redis.call('EXPIRE', lane, 86400 * 2)
  redis.call('EXPIRE', day, 86400 * 2)
  return list
end

-- settle: id, slot, outcome of a probe ("", "ok", "bad"), permits, dimensions, then reserved and used by dimension
function verbs.settle()
  local id, slot, outcome, permits = argument(), tonumber(argument()), argument(), tonumber(argument())
  if redis.call('ZREM', probes, id) == 1 and outcome == 'ok' then
    if redis.call('HINCRBY', lane, 'probe_ok', 1) >= permits then
      redis.call('HDEL', lane, 'open_until', 'probe_ok')
    end
  end
  if redis.call('ZREM', flying, id) == 0 then return {'late'} end
  local found = dimensions()
  forget(found)
  for _, dimension in ipairs(found) do
    local back = tonumber(argument()) - tonumber(argument())
    dimension.level = math.min(dimension.burst, dimension.level + back)
    if slot >= number('first', slot + 1) then
      add(dimension.name .. ':' .. slot, -back)
      add('sum:' .. dimension.name, -back)
    end
  end
  save(found)
  return {'settled'}
end

-- pause: seconds
function verbs.pause()
  set('paused', math.max(number('paused', 0), now + tonumber(argument())))
  redis.call('HINCRBY', lane, 'epoch', 1)
  return {'paused'}
end

function verbs.slow()
  set('factor', math.max(SLOWEST, factor() * SLOWDOWN))
  set('factor_at', now)
  return {'slowed'}
end

-- observe: seconds that a told limit holds, dimensions, then limit (-1) and remaining (-1) by dimension
function verbs.observe()
  local hold = tonumber(argument())
  local found = dimensions()
  for _, dimension in ipairs(found) do
    local limit, remaining = tonumber(argument()), tonumber(argument())
    if limit > 0 then
      set('told:' .. dimension.name, limit)
      set('told_until:' .. dimension.name, now + hold)
    end
    if remaining >= 0 then dimension.level = math.min(dimension.level, remaining) end
  end
  save(found)
  return {'heard'}
end

-- open: seconds
function verbs.open()
  set('open_until', math.max(number('open_until', 0), now + tonumber(argument())))
  redis.call('HDEL', lane, 'probe_ok')
  redis.call('DEL', probes)
  return {'opened'}
end

-- park: seconds (-1 = until something changes), reason
function verbs.park()
  local left = tonumber(argument())
  set('parked_until', left < 0 and -1 or now + left)
  redis.call('HSET', lane, 'parked_reason', argument())
  return {'parked'}
end

function verbs.reset()
  redis.call('HDEL', lane, 'parked_until', 'parked_reason', 'open_until', 'probe_ok')
  redis.call('DEL', probes)
  return {'reset'}
end

-- look: requests per day (-1), dimensions; nothing is taken, only what is old is forgotten
function verbs.look()
  local per_day = argument()
  local found = dimensions()
  forget(found)
  redis.call('ZREMRANGEBYSCORE', flying, '-inf', now)
  save(found)
  local list = reply('look', 0, found)
  for _, dimension in ipairs(found) do
    list[#list + 1] = string.format('%d', number('sum:' .. dimension.name, 0))
  end
  local today, first = 0, math.floor(now / DAY_SLOT_S) - DAY_SLOTS + 1
  local fields = redis.call('HGETALL', day)
  for index = 1, #fields, 2 do
    if tonumber(fields[index]) >= first then today = today + tonumber(fields[index + 1]) end
  end
  local parked, open_until = number('parked_until', 0), number('open_until', 0)
  list[#list + 1] = per_day
  list[#list + 1] = string.format('%d', today)
  list[#list + 1] = string.format('%.6f', math.max(0, open_until - now))
  list[#list + 1] = string.format('%.6f', parked == -1 and -1 or math.max(0, parked - now))
  list[#list + 1] = redis.call('HGET', lane, 'parked_reason') or ''
  redis.call('EXPIRE', lane, 86400 * 2)
  return list
end

return verbs[verb]()
