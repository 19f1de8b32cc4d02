-- The questions in flight of one partition, for a fleet: one call = one atomic step, by the server's time.
--
-- KEYS: 1 id -> question as JSON, 2 id -> key of its words, 3 key of the words -> id, 4 id -> end of lease,
--       5 id -> number in order of arrival, 6 id -> how many joined by meaning, 7 id -> what it left,
--       8 id -> when it landed, 9 the last number
-- ARGV: 1 verb, 2 time ("" = the server's; a number only in tests), then by verb (see below).
--
-- A question flies while its lease runs. The reply is a list of strings.

local KEPT_S, SWEPT, NEWER, UNUSED_S = 30, 100, 64, 600
local questions, words, leaders, leases = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local order, joiners, left, landed = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local verb, now = ARGV[1], tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1e6
end

local function flies(id)
  local ends = redis.call('ZSCORE', leases, id)
  return ends and tonumber(ends) > now
end

local function drop(id)
  local key = redis.call('HGET', words, id)
  if key and redis.call('HGET', leaders, key) == id then
    redis.call('HDEL', leaders, key)
  end
  redis.call('HDEL', questions, id)
  redis.call('HDEL', words, id)
  redis.call('HDEL', joiners, id)
  redis.call('ZREM', leases, id)
  redis.call('ZREM', order, id)
end

local function sweep()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, SWEPT)) do
    drop(id)
  end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', landed, '-inf', now - KEPT_S, 'LIMIT', 0, SWEPT)) do
    redis.call('HDEL', left, id)
    redis.call('ZREM', landed, id)
  end
end

-- enter: id, key, question, lease_s, last number seen, 1 = lead whatever else flies, most joiners, ids that may be joined
-- -> same, id, its question | near, id | newer, then number, id, question ... | lead, number
local function enter()
  local id, key, question, lease_s = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
  local seen, leads, most = tonumber(ARGV[7]), ARGV[8] == '1', tonumber(ARGV[9])
  sweep()
  local same = redis.call('HGET', leaders, key)
  if same and flies(same) then
    return {'same', same, redis.call('HGET', questions, same)}
  end
  for index = 10, #ARGV do
    local near = ARGV[index]
    if flies(near) and tonumber(redis.call('HGET', joiners, near) or '0') < most then
      redis.call('HINCRBY', joiners, near, 1)
      return {'near', near}
    end
  end
  local last = tonumber(redis.call('GET', KEYS[9]) or '0')
  if last < seen then -- the server began anew
    seen = 0
  end
  if not leads then
    local newer = redis.call('ZRANGEBYSCORE', order, seen + 1, '+inf', 'WITHSCORES', 'LIMIT', 0, NEWER)
    if #newer > 0 then
      local reply = {'newer'}
      for index = 1, #newer, 2 do
        table.insert(reply, newer[index + 1])
        table.insert(reply, newer[index])
        table.insert(reply, redis.call('HGET', questions, newer[index]))
      end
      return reply
    end
  end
  local number = redis.call('INCR', KEYS[9])
  redis.call('HSET', questions, id, question)
  redis.call('HSET', words, id, key)
  redis.call('HSET', leaders, key, id)
  redis.call('ZADD', leases, now + lease_s, id)
  redis.call('ZADD', order, number, id)
  for index = 1, #KEYS do
    redis.call('EXPIRE', KEYS[index], UNUSED_S)
  end
  return {'lead', tostring(number)}
end

-- ask: ids -> for each "flies", "gone", "-" (landed, not to be shared) or "=" and the note
local function ask()
  local reply = {}
  for index = 3, #ARGV do
    local note = redis.call('HGET', left, ARGV[index])
    table.insert(reply, note or (flies(ARGV[index]) and 'flies' or 'gone'))
  end
  return reply
end

-- renew: lease_s, ids that still fly
local function renew()
  for index = 4, #ARGV do
    if redis.call('ZSCORE', leases, ARGV[index]) then
      redis.call('ZADD', leases, now + tonumber(ARGV[3]), ARGV[index])
    end
  end
  return {}
end

-- land: id, what it left as `ask` tells it
local function land()
  drop(ARGV[3])
  redis.call('HSET', left, ARGV[3], ARGV[4])
  redis.call('ZADD', landed, now, ARGV[3])
  redis.call('EXPIRE', left, UNUSED_S)
  redis.call('EXPIRE', landed, UNUSED_S)
  return {}
end

if verb == 'enter' then
  return enter()
elseif verb == 'ask' then
  return ask()
elseif verb == 'renew' then
  return renew()
elseif verb == 'land' then
  return land()
end
drop(ARGV[3]) -- abandon: id
return {}
