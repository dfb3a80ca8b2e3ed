-- What a store does in Redis, each verb in one step: ARGV[1] is the verb, the others are its arguments.
--
--   index:<namespace>   hash: key -> "<object id> <nbytes> <chunks> <created> <used> <expires>"; where the body
--                       lies in a bucket, "b<number of its parts>" in place of the chunks
--   order:<namespace>   sorted set: key by time of creation, where the number of notes is bounded
--   object:<object id>  hash: the manifest with its seal (m), and the body of a small object (b)
--   object:<object id>:<number>   the chunks of a larger one
--   expiring            sorted set: "<length of namespace>:<namespace><key>" by time of expiry
--   domains, namespaces:<domain>  sets
--   usage               hash: bytes, of all ("") and by client
--   budget, lock:<name>
--   coming:<object id>  there while a body is sent to a bucket
--   removed             set: "<object id> <parts>" of what is to be removed from the bucket
--   swept               there for a while after a process has looked through the bucket
--
-- What lies under an object id never changes, and expires by itself. The rest is bookkeeping, which stays until
-- what it counts is removed. Times are milliseconds, by the clock of the server; an expiry of 0 is none.
--
-- When the memory of Redis is full it refuses commands that may need some, unless the script has written
-- before. So scripts that free something, or that have to work all the same, begin with a command of the
-- other kind.
local P = 'dash_brain:1:'
local CLIENTS = {@CLIENTS@}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function index(namespace) return P .. 'index:' .. namespace end
local function object(id) return P .. 'object:' .. id end
local function member(namespace, key) return #namespace .. ':' .. namespace .. key end

local function find(namespace, key)
  local text = redis.call('HGET', index(namespace), key)
  if not text then return nil end
  local id, nbytes, parts, created, used, expires = text:match('^(%x+) (%d+) (b?%d+) (%d+) (%d+) (%d+)$')
  if not id or #parts:match('%d+') > 5 then return nil end
  return {text = text, id = id, nbytes = tonumber(nbytes), parts = parts, created = tonumber(created),
          used = tonumber(used), expires = tonumber(expires)}
end

local function text_of(r)
  return string.format('%s %.0f %s %.0f %.0f %.0f', r.id, r.nbytes, r.parts, r.created, r.used, r.expires)
end

local function note(namespace, key, r)
  redis.call('HSET', index(namespace), key, text_of(r))
  if r.expires > 0 then
    redis.call('ZADD', P .. 'expiring', r.expires, member(namespace, key))
  else
    redis.call('ZREM', P .. 'expiring', member(namespace, key))
  end
end

-- How many parts lie in Redis, and how many in a bucket.
local function chunks(r) return tonumber(r.parts) or 0 end
local function blobs(r) return tonumber(r.parts:match('^b(%d+)$') or 0) end

local function each_part(r, use)
  use(object(r.id))
  for number = 0, chunks(r) - 1 do use(object(r.id) .. ':' .. number) end
end

-- The clock may have been ahead when it was put: see is_over() in base.py.
local function is_over(r)
  local left = r.expires - now
  return r.expires > 0 and not (left > 0 and left <= 2 * (r.expires - r.used))
end

local function is_whole(r)
  local found = 0
  each_part(r, function(part) found = found + redis.call('EXISTS', part) end)
  return found == chunks(r) + 1
end

local function count(namespace, nbytes)
  if nbytes == 0 then return end
  local domain, client = namespace:match('^([^/]*)/([^/]*)')
  for _, whose in ipairs({'', CLIENTS[domain] and client}) do
    if redis.call('HINCRBY', P .. 'usage', whose, nbytes) <= 0 then redis.call('HDEL', P .. 'usage', whose) end
  end
end

local function remove(namespace, key, r)
  redis.call('HDEL', index(namespace), key)
  each_part(r, function(part) redis.call('UNLINK', part) end)
  if blobs(r) > 0 then redis.call('SADD', P .. 'removed', r.id .. ' ' .. blobs(r)) end
  redis.call('ZREM', P .. 'expiring', member(namespace, key))
  redis.call('ZREM', P .. 'order:' .. namespace, key)
  count(namespace, -r.nbytes)
  if redis.call('EXISTS', index(namespace)) == 0 then
    local domain = namespace:match('^[^/]*')
    redis.call('SREM', P .. 'namespaces:' .. domain, namespace)
    if redis.call('EXISTS', P .. 'namespaces:' .. domain) == 0 then
      redis.call('SREM', P .. 'domains', domain)
    end
  end
end

-- The record of what lies there now. What is over, or was evicted by Redis, is removed on the way.
local function live(namespace, key)
  local r = find(namespace, key)
  if not r then return nil end
  if is_over(r) or not is_whole(r) then
    remove(namespace, key, r)
    return nil
  end
  return r
end

local function prune(most)
  local over = redis.call('ZRANGEBYSCORE', P .. 'expiring', '-inf', now, 'LIMIT', 0, most)
  for _, one in ipairs(over) do
    local length, rest = one:match('^(%d+):(.*)$')
    local namespace, key = rest:sub(1, tonumber(length)), rest:sub(tonumber(length) + 1)
    local r = find(namespace, key)
    if r and is_over(r) then remove(namespace, key, r) else redis.call('ZREM', P .. 'expiring', one) end
  end
  return #over
end

local function lifetime(r, ttl)
  r.used = now
  r.expires = ttl == '' and 0 or now + tonumber(ttl)
  each_part(r, function(part)
    if ttl == '' then redis.call('PERSIST', part) else redis.call('PEXPIRE', part, ttl) end
  end)
end

local function number_in(hash, field) return tonumber(redis.call('HGET', hash, field) or 0) end

local function changed(namespace, key, id)
  redis.call('PUBLISH', P .. 'changes:' .. member(namespace, key), id)
end

-- As it was set, but never more than what the server allows.
local function budget_or(allowed)
  return math.min(tonumber(redis.call('GET', P .. 'budget') or allowed), tonumber(allowed))
end

local verbs = {}

-- Say why an object cannot be put, or nil: {reason, bytes that are missing, of how many, whose}.
local function refusal(a, old, there)
  if a.lock ~= '' and redis.call('GET', P .. 'lock:' .. a.lock) ~= a.holder then return {'lease'} end
  if a.compare == '1' and a.replaces ~= (there and there.id or '') then return {'conflict'} end
  local more = tonumber(a.nbytes) - (old and old.nbytes or 0)
  if a.quota ~= '' then
    local client = a.namespace:match('^[^/]*/([^/]*)')
    local over = number_in(P .. 'usage', client) + more - tonumber(a.quota)
    if over > 0 then return {'quota', over, a.quota + 0, client} end
  end
  local budget = budget_or(a.budget)
  local over = number_in(P .. 'usage', '') + more - budget
  if over > 0 then return {'budget', over, budget} end
end

function verbs.put(namespace, key, id, nbytes, parts, ttl, compare, replaces, most, quota, budget, lock, holder,
                   manifest, body)
  local old = find(namespace, key)
  local there = old and not is_over(old) and is_whole(old) and old or nil
  if there and there.id == id then return {'ok'} end -- the answer was lost, and it is asked again
  local a = {namespace = namespace, nbytes = nbytes, compare = compare, replaces = replaces, quota = quota,
             budget = budget, lock = lock, holder = holder}
  prune(20)
  local refused = refusal(a, find(namespace, key), there)
  if refused then return refused end
  local new, coming = {id = id, nbytes = tonumber(nbytes), parts = parts, created = now}, P .. 'coming:' .. id
  if manifest == '' then -- the question was whether there is room for it
    if blobs(new) > 0 then redis.call('SET', coming, '', 'EX', 600) end -- longer than it takes to send any
    return {'ok'}
  end
  if blobs(new) > 0 and redis.call('UNLINK', coming) == 0 then return {'lost'} end
  redis.call('HSET', object(id), 'm', manifest, 'b', body)
  if not is_whole(new) then
    redis.call('UNLINK', object(id))
    return {'lost'}
  end
  old = find(namespace, key)
  if old then
    remove(namespace, key, old)
  elseif tonumber(most) > 0 and redis.call('HLEN', index(namespace)) >= tonumber(most) then
    for _, oldest in ipairs(redis.call('ZRANGE', P .. 'order:' .. namespace, 0, 0)) do
      local r = find(namespace, oldest)
      if r then remove(namespace, oldest, r) else redis.call('ZREM', P .. 'order:' .. namespace, oldest) end
    end
  end
  lifetime(new, ttl)
  note(namespace, key, new)
  local domain = namespace:match('^[^/]*')
  redis.call('SADD', P .. 'domains', domain)
  redis.call('SADD', P .. 'namespaces:' .. domain, namespace)
  if tonumber(most) > 0 then redis.call('ZADD', P .. 'order:' .. namespace, now, key) end
  count(namespace, new.nbytes)
  changed(namespace, key, id)
  return {'ok'}
end

-- What lies at each place, false for nothing; with the body of a small object. It counts as a use.
function verbs.look(...)
  local places, found = {...}, {}
  for number = 1, #places, 2 do
    local namespace, key = places[number], places[number + 1]
    local r = live(namespace, key)
    if r and (now - r.used >= 1000 or now < r.used) then
      r.used = now
      r.text = text_of(r)
      redis.pcall('HSET', index(namespace), key, r.text) -- not when the memory is full
    end
    found[#found + 1] = r and {r.text, unpack(redis.call('HMGET', object(r.id), 'm', 'b'))} or false
  end
  return found
end

function verbs.info(namespace, key)
  local r = live(namespace, key)
  return r and {r.text, redis.call('HGET', object(r.id), 'm'), ''}
end

function verbs.exists(namespace, key)
  return live(namespace, key) and 1 or 0
end

function verbs.touch(namespace, ttl, ...)
  local missing = {}
  for number, key in ipairs({...}) do
    local r = live(namespace, key)
    if r then
      lifetime(r, ttl)
      note(namespace, key, r)
    else
      missing[#missing + 1] = number - 1
    end
  end
  return missing
end

function verbs.delete(namespace, key, id)
  local r = live(namespace, key)
  if not r or (id ~= '' and id ~= r.id) then return 0 end
  remove(namespace, key, r)
  changed(namespace, key, '')
  return 1
end

-- As it was seen, and not if it was used since.
function verbs.evict(namespace, key, id, used)
  local r = find(namespace, key)
  if not r or r.id ~= id or r.used ~= tonumber(used) then return 0 end
  remove(namespace, key, r)
  return 1
end

function verbs.drop(namespace)
  for _, key in ipairs(redis.call('HKEYS', index(namespace))) do
    local r = find(namespace, key)
    if r then remove(namespace, key, r) end
    changed(namespace, key, '')
  end
  return 0
end

function verbs.prune(most) return prune(tonumber(most)) end

-- Redis may have evicted an index, and what was counted with it: say whether less is used than was thought.
function verbs.recount()
  local before = number_in(P .. 'usage', '')
  redis.call('UNLINK', P .. 'usage')
  for _, domain in ipairs(redis.call('SMEMBERS', P .. 'domains')) do
    for _, namespace in ipairs(redis.call('SMEMBERS', P .. 'namespaces:' .. domain)) do
      for _, key in ipairs(redis.call('HKEYS', index(namespace))) do
        local r = find(namespace, key)
        if r then count(namespace, r.nbytes) end
      end
    end
  end
  return number_in(P .. 'usage', '') < before and 1 or 0
end

function verbs.usage(client) return number_in(P .. 'usage', client) end

function verbs.budget(allowed) return budget_or(allowed) end

function verbs.resize(nbytes)
  local used = number_in(P .. 'usage', '')
  if used > tonumber(nbytes) then return used end
  redis.call('SET', P .. 'budget', nbytes)
  return -1
end

-- Bookkeeping that has to work in a full Redis too: UNLINK comes first.
function verbs.lock(name, holder, milliseconds)
  local at = P .. 'lock:' .. name
  redis.call('UNLINK', at .. ':')
  local there = redis.call('GET', at)
  if there and there ~= holder then return redis.call('PTTL', at) end
  redis.call('SET', at, holder, 'PX', milliseconds)
  return -1
end

function verbs.renew(milliseconds, ...)
  local given, lost = {...}, {}
  for number = 1, #given, 2 do
    local at = P .. 'lock:' .. given[number]
    if redis.call('GET', at) == given[number + 1] then
      redis.call('PEXPIRE', at, milliseconds)
    else
      lost[#lost + 1] = given[number]
    end
  end
  return lost
end

function verbs.unlock(name, holder)
  local at = P .. 'lock:' .. name
  if redis.call('GET', at) ~= holder then return 0 end
  redis.call('UNLINK', at)
  redis.call('PUBLISH', P .. 'unlocked:' .. name, '')
  return 1
end

return verbs[ARGV[1]](unpack(ARGV, 2))
