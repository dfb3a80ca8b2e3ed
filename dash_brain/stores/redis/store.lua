-- What a store does in Redis, each verb in one step: ARGV[1] is the verb, the others are its arguments.
--
--   index:<namespace>   hash: key -> "<object id> <nbytes> <parts> <created> <used> <expires>"; where the body
--                       lies in a bucket, "b<number of its parts>" in place of the parts in Redis. And the
--                       bytes of all of them, under a name that is no key: they go with what they count
--   value:<place>       hash: the manifest with its seal (m), and the body of a small object (b)
--   object:<object id>:<number>   the chunks of a larger one
--   object:<object id>  there while a body in a bucket has a manifest
--   order:<namespace>   sorted set: key by time of creation, where the number of notes is bounded
--   expiring            sorted set: place by time of expiry
--   usage               hash: the bytes of each namespace as they were counted last, and their sums: of all
--                       ("/"), and by client
--   recounting          there for a while after somebody has begun to make the bookkeeping anew
--   budget, lock:<name>
--   coming              hash: object id -> parts, of what is being sent under lock:<object id>
--   removed             set: "<object id> <parts>" of what is to be removed from the bucket
--   swept               there for a while after a process has looked through the bucket
--   gone                hash of a fixed size: how what was removed lately went
--   past                hash of a fixed size: ids of objects that were replaced or removed lately
--
-- A place is "<length of namespace>:<namespace><key>". Values and parts expire by themselves. The rest is
-- bookkeeping, which stays until what it counts is removed. Times are milliseconds, by the clock of the server;
-- an expiry of 0 is none.
--
-- A read takes two commands and no script: the record, and what lies at the place. They are a miss unless both
-- are there and name the same object.
--
-- A policy of Redis may evict any key. Without its record, or without its value or a part of it, an object is a
-- miss. A namespace whose index was evicted is counted as empty as soon as anybody changes or looks through it
-- (settle). "expiring" and "usage" have a member that tells whether they were evicted: then, and in a sweep,
-- they are made anew from the indexes.
--
-- Redis serves nobody else while a script runs. So none looks at more than some hundred records: who has to look
-- at all of them asks page by page (verbs.records).
--
-- When the memory of Redis is full it refuses commands that may need some, unless the script has written
-- before. So scripts that free something begin with that, and others that have to work all the same with
-- works_when_full().
local P = 'dash_brain:1:'
local CLIENTS = {@CLIENTS@}
-- Names in "usage" and in an index that are those of no client and of no key, which is UTF-8.
local ALL, BEGUN, COMPLETE, BYTES = '/', '/begun', '/complete', '\255'
-- Records that are looked at in one step, and milliseconds for which "recounting" is there.
local PAGE, WHILE = 300, 5000
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function works_when_full() redis.call('UNLINK', P .. 'nothing') end

local function index(namespace) return P .. 'index:' .. namespace end
local function object(id) return P .. 'object:' .. id end
local function place(namespace, key) return #namespace .. ':' .. namespace .. key end
local function value(namespace, key) return P .. 'value:' .. place(namespace, key) end

local function parsed(text)
  local id, nbytes, parts, created, used, expires = text:match('^(%x+) (%d+) (b?%d+) (%d+) (%d+) (%d+)$')
  if not id or #id ~= 32 or #nbytes > 15 or #parts:match('%d+') > 5 then return nil end
  return {text = text, id = id, nbytes = tonumber(nbytes), parts = parts, created = tonumber(created),
          used = tonumber(used), expires = tonumber(expires)}
end

local function find(namespace, key)
  local text = redis.call('HGET', index(namespace), key)
  return text and parsed(text) or nil
end

local function text_of(r)
  return string.format('%s %.0f %s %.0f %.0f %.0f', r.id, r.nbytes, r.parts, r.created, r.used, r.expires)
end

local function expire(namespace, key, r)
  if r.expires > 0 then
    redis.call('ZADD', P .. 'expiring', r.expires, place(namespace, key))
  else
    redis.call('ZREM', P .. 'expiring', place(namespace, key))
  end
end

local function note(namespace, key, r)
  redis.call('HSET', index(namespace), key, text_of(r))
  expire(namespace, key, r)
end

-- How many parts lie in Redis, and how many in a bucket.
local function chunks(parts) return tonumber(parts) or 0 end
local function blobs(parts) return tonumber(parts:match('^b(%d+)$') or 0) end

-- The keys of an object beside its value.
local function parts_of(r)
  local found = {}
  for number = 0, chunks(r.parts) - 1 do found[#found + 1] = object(r.id) .. ':' .. number end
  if blobs(r.parts) > 0 then found[1] = object(r.id) end
  return found
end

local function remove_parts(r)
  for _, part in ipairs(parts_of(r)) do redis.call('UNLINK', part) end
  if blobs(r.parts) > 0 then redis.call('SADD', P .. 'removed', r.id .. ' ' .. blobs(r.parts)) end
end

-- The clock may have been ahead when it was put: see is_over() in base.py.
local function is_over(r)
  local left = r.expires - now
  return r.expires > 0 and not (left > 0 and left <= 2 * (r.expires - r.used))
end

local function has_parts(r)
  for _, part in ipairs(parts_of(r)) do
    if redis.call('EXISTS', part) == 0 then return false end
  end
  return true
end

local function is_whole(namespace, key, r)
  return redis.call('EXISTS', value(namespace, key)) == 1 and has_parts(r)
end

-- When it was used last: Redis notes reads by the second, unless its policy is to count them.
local function used(namespace, key, r)
  local idle = redis.pcall('OBJECT', 'IDLETIME', value(namespace, key))
  if type(idle) ~= 'number' then return r.used end
  return math.max(r.used, math.min(now, (math.floor(now / 1000) - idle + 1) * 1000))
end

local function number_in(hash, field) return tonumber(redis.call('HGET', hash, field) or 0) end

local function add(hash, field, nbytes)
  local sum = redis.call('HINCRBY', hash, field, nbytes)
  if sum <= 0 then redis.call('HDEL', hash, field) end
  return sum
end

-- Count a namespace as having so many bytes, whatever it was counted as before.
local function settle(namespace, nbytes)
  local more = nbytes - number_in(P .. 'usage', namespace)
  if more == 0 then return end
  local domain, client = namespace:match('^([^/]*)/([^/]*)')
  for _, whose in ipairs({namespace, ALL, CLIENTS[domain] and client}) do add(P .. 'usage', whose, more) end
end

local function bytes_in(namespace) return number_in(index(namespace), BYTES) end

local function count(namespace, nbytes)
  if nbytes ~= 0 then settle(namespace, math.max(add(index(namespace), BYTES, nbytes), 0)) end
end

-- Remember in a table of 4096 places how it went; it is for messages only.
local function bury(namespace, key, r, reason)
  local name = redis.sha1hex(place(namespace, key))
  local text = string.format('%s %s %.0f %.0f %.0f', name:sub(4, 23), reason, r.nbytes, r.created, now)
  redis.call('HSET', P .. 'gone', tonumber(name:sub(1, 3), 16), text)
end

-- How what lay there went: {reason, bytes, created, removed, now}, or {} when that is not remembered.
local function fate(namespace, key)
  local name = redis.sha1hex(place(namespace, key))
  local text = redis.call('HGET', P .. 'gone', tonumber(name:sub(1, 3), 16)) or ''
  local whose, reason, nbytes, created, removed = text:match('^(%x+) (%l+) (%d+) (%d+) (%d+)$')
  if whose ~= name:sub(4, 23) then return {} end
  return {reason, nbytes, created, removed, string.format('%.0f', now)}
end

local function slot(id) return tonumber(id:sub(1, 3), 16) end

-- Whether this object is known to have been there, and to be no more.
local function is_past(id) return redis.call('HGET', P .. 'past', slot(id)) == id end

-- Forget a record, and remove the parts of the object; its value goes, or is replaced. It is counted still.
local function forget(namespace, key, r)
  redis.call('HDEL', index(namespace), key)
  redis.call('HSET', P .. 'past', slot(r.id), r.id)
  remove_parts(r)
  redis.call('ZREM', P .. 'expiring', place(namespace, key))
  redis.call('ZREM', P .. 'order:' .. namespace, key)
end

local function remove(namespace, key, r, reason)
  forget(namespace, key, r)
  count(namespace, -r.nbytes)
  redis.call('UNLINK', value(namespace, key))
  bury(namespace, key, r, reason)
end

-- The record of what lies there now. What is over, or was evicted by Redis, is removed on the way.
local function live(namespace, key)
  local r = find(namespace, key)
  if not r then return nil end
  if is_over(r) then
    remove(namespace, key, r, 'expired')
  elseif not is_whole(namespace, key, r) then
    remove(namespace, key, r, 'evicted')
  else
    return r
  end
end

local function prune(most)
  local over = redis.call('ZRANGEBYSCORE', P .. 'expiring', '-inf', now, 'LIMIT', 0, most)
  for _, one in ipairs(over) do
    local length, rest = one:match('^(%d+):(.*)$')
    local namespace, key = rest:sub(1, tonumber(length)), rest:sub(tonumber(length) + 1)
    local r = find(namespace, key)
    if r and is_over(r) then
      remove(namespace, key, r, 'expired')
    else
      redis.call('ZREM', P .. 'expiring', one)
    end
  end
  return #over
end

local function lifetime(namespace, key, r, ttl)
  r.used = now
  r.expires = ttl == '' and 0 or now + tonumber(ttl)
  local names = parts_of(r)
  names[#names + 1] = value(namespace, key)
  for _, name in ipairs(names) do
    if ttl == '' then
      redis.call('PERSIST', name)
    else
      redis.call('PEXPIREAT', name, string.format('%.0f', r.expires))
    end
  end
end

local function changed(namespace, key, id)
  redis.call('PUBLISH', P .. 'changes:' .. place(namespace, key), id)
end

-- As it was set, but never more than what the server allows.
local function budget_or(allowed)
  return math.min(tonumber(redis.call('GET', P .. 'budget') or allowed), tonumber(allowed))
end

-- Remove what was sent by processes that died, whose locks have ended. Who stood still may go on until then.
local function reap()
  local removed = 0
  local all = redis.call('HGETALL', P .. 'coming')
  for at = 1, #all, 2 do
    local id, parts = all[at], all[at + 1]:match('^b?%d%d?%d?%d?%d?$')
    if redis.call('EXISTS', P .. 'lock:' .. id) == 0 then
      redis.call('HDEL', P .. 'coming', id)
      if parts then remove_parts({id = id, parts = parts}) end
      removed = removed + 1
    end
  end
  return removed
end

-- Keep the number of notes of a namespace below the most.
local function bound(namespace, most)
  local order = P .. 'order:' .. namespace
  local length = redis.call('HLEN', index(namespace)) - redis.call('HEXISTS', index(namespace), BYTES)
  if length < most then return end
  local known = redis.call('ZCARD', order)
  if known > length then redis.call('UNLINK', order) end -- the index was evicted
  if known ~= length then -- it was evicted, and is made anew, some of it each time
    for _, key in ipairs(redis.call('HRANDFIELD', index(namespace), PAGE)) do
      local r = find(namespace, key)
      if key ~= BYTES then redis.call('ZADD', order, r and r.created or 0, key) end
    end
  end
  for _, oldest in ipairs(redis.call('ZRANGE', order, 0, 0)) do
    local r = find(namespace, oldest)
    if r then
      remove(namespace, oldest, r, 'evicted')
    else -- no record of ours
      redis.call('HDEL', index(namespace), oldest)
      redis.call('ZREM', order, oldest)
    end
  end
end

-- Mark what is counted by, and say whether a mark is there still: it goes when Redis evicts what it marks.
local function mark(member)
  redis.call('HSET', P .. 'usage', member, 1)
  redis.call('ZADD', P .. 'expiring', '+inf', member)
end

local function is_marked(member)
  return redis.call('HEXISTS', P .. 'usage', member) == 1 and redis.call('ZSCORE', P .. 'expiring', member)
end

-- Say whether the bookkeeping was evicted, to one who is to make it anew then.
local function is_incomplete()
  return not is_marked(COMPLETE) and redis.call('SET', P .. 'recounting', '', 'NX', 'PX', WHILE)
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
  local over = number_in(P .. 'usage', ALL) + more - budget
  if over > 0 then return {'budget', over, budget} end
end

-- Without a manifest: make sure that there is room for what is going to be sent.
function verbs.put(namespace, key, id, nbytes, parts, ttl, compare, replaces, most, quota, budget, lock, holder,
                   lease, manifest, body)
  local old = find(namespace, key)
  local there = old and not is_over(old) and is_whole(namespace, key, old) and old or nil
  if there and there.id == id or is_past(id) then return {'ok'} end -- the answer was lost, and it is asked again
  local a = {namespace = namespace, nbytes = nbytes, compare = compare, replaces = replaces, quota = quota,
             budget = budget, lock = lock, holder = holder}
  prune(20)
  local refused = refusal(a, find(namespace, key), there)
  if refused then return refused end
  local new = {id = id, nbytes = tonumber(nbytes), parts = parts, created = now}
  if manifest == '' then
    reap()
    redis.call('HSET', P .. 'coming', id, parts)
    redis.call('SET', P .. 'lock:' .. id, id, 'PX', lease)
    return {'ok'}
  end
  if blobs(parts) > 0 and redis.call('HEXISTS', P .. 'coming', id) == 0 then return {'lost'} end
  if blobs(parts) == 0 and not has_parts(new) then return {'lost'} end
  redis.call('HSET', value(namespace, key), 'm', manifest, 'b', body) -- the first that takes memory
  if parts ~= '0' then
    redis.call('UNLINK', P .. 'lock:' .. id)
    redis.call('HDEL', P .. 'coming', id)
  end
  if blobs(parts) > 0 then redis.call('SET', object(id), '') end
  old = find(namespace, key)
  if old then
    forget(namespace, key, old)
  elseif tonumber(most) > 0 then
    bound(namespace, tonumber(most))
  end
  lifetime(namespace, key, new, ttl)
  note(namespace, key, new)
  if tonumber(most) > 0 then redis.call('ZADD', P .. 'order:' .. namespace, now, key) end
  count(namespace, new.nbytes - (old and old.nbytes or 0))
  changed(namespace, key, id)
  return {is_incomplete() and 'incomplete' or 'ok'}
end

-- What lies there, as the two commands of a read say it, but in one step; else how it went.
function verbs.look(namespace, key)
  local r = live(namespace, key)
  if not r then return fate(namespace, key) end
  return {r.text, unpack(redis.call('HMGET', value(namespace, key), 'm', 'b'))}
end

function verbs.info(namespace, key)
  local r = live(namespace, key)
  if not r then return fate(namespace, key) end
  r.used = used(namespace, key, r)
  return {text_of(r), redis.call('HGET', value(namespace, key), 'm'), ''}
end

function verbs.infos(namespace, ...)
  local found = {}
  for _, key in ipairs({...}) do found[#found + 1] = verbs.info(namespace, key) end
  return found
end

function verbs.fate(namespace, key) return fate(namespace, key) end

function verbs.exists(namespace, key)
  return live(namespace, key) and 1 or 0
end

function verbs.touch(namespace, ttl, ...)
  local missing = {}
  for number, key in ipairs({...}) do
    local r = live(namespace, key)
    if r then
      lifetime(namespace, key, r, ttl)
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
  remove(namespace, key, r, 'deleted')
  changed(namespace, key, '')
  return 1
end

-- As it was seen, and not if it was used since.
function verbs.evict(namespace, key, id, seen, reason)
  local r = find(namespace, key)
  if not r or r.id ~= id or used(namespace, key, r) > tonumber(seen) + 1000 then return 0 end
  remove(namespace, key, r, reason)
  return 1
end

-- Remove some hundred objects of a namespace: {how many they were, 1 if there are more}.
function verbs.drop(namespace)
  local removed = 0
  for _, key in ipairs(redis.call('HRANDFIELD', index(namespace), PAGE)) do
    local r = find(namespace, key)
    if r then
      remove(namespace, key, r, 'deleted')
      changed(namespace, key, '')
      removed = removed + 1
    elseif key ~= BYTES then -- no record of ours
      redis.call('HDEL', index(namespace), key)
    end
  end
  local left = redis.call('HLEN', index(namespace)) - redis.call('HEXISTS', index(namespace), BYTES)
  if left > 0 then return {removed, 1} end
  redis.call('UNLINK', index(namespace), P .. 'order:' .. namespace)
  settle(namespace, 0)
  return {removed, 0}
end

function verbs.prune(most) return prune(tonumber(most)) end

function verbs.reap() return reap() end

-- The keys of these that are alive, in the same order.
function verbs.alive(namespace, ...)
  local found = {}
  for _, key in ipairs({...}) do
    if live(namespace, key) then found[#found + 1] = key end
  end
  return found
end

-- The record as it is now; nil when it is none of ours, or was evicted and not found out yet.
local function seen(namespace, key, text)
  local r = parsed(text)
  if not r then
    if key ~= BYTES then redis.call('HDEL', index(namespace), key) end
  elseif not is_over(r) and not is_whole(namespace, key, r) then -- what is over is counted by who prunes
    remove(namespace, key, r, 'evicted')
  else
    expire(namespace, key, r)
    r.used = used(namespace, key, r)
    return text_of(r)
  end
end

-- Some hundred records of these namespaces, from the cursor on in the first: how many of them are done, the
-- cursor in the next one, the bytes that were counted and not there, and for each a list of keys and records.
function verbs.records(cursor, ...)
  works_when_full()
  local given, found, left, before = {...}, {}, PAGE, number_in(P .. 'usage', ALL)
  local function answer(done) return {done, cursor, before - number_in(P .. 'usage', ALL), found} end
  for number, namespace in ipairs(given) do
    found[number] = {}
    repeat
      if left <= 0 then return answer(number - 1) end
      local page = redis.call('HSCAN', index(namespace), cursor, 'COUNT', 100)
      cursor, left = page[1], left - #page[2] / 2 - 1
      for at = 1, #page[2], 2 do
        local text = seen(namespace, page[2][at], page[2][at + 1])
        if text then
          table.insert(found[number], page[2][at])
          table.insert(found[number], text)
        end
      end
    until cursor == '0'
    settle(namespace, bytes_in(namespace))
  end
  return answer(#given)
end

-- Those of these namespaces that hold something.
function verbs.filled(...)
  works_when_full()
  local found = {}
  for _, namespace in ipairs({...}) do
    settle(namespace, bytes_in(namespace))
    if redis.call('EXISTS', index(namespace)) == 1 then found[#found + 1] = namespace end
  end
  return found
end

-- All records are going to be looked at, and counted.
function verbs.begin()
  works_when_full()
  mark(BEGUN)
  return 0
end

-- All were, unless what was counted until now was evicted meanwhile.
function verbs.complete()
  works_when_full()
  if is_marked(BEGUN) then mark(COMPLETE) end
  return 0
end

function verbs.usage(whose) return number_in(P .. 'usage', whose) end

function verbs.budget(allowed) return budget_or(allowed) end

function verbs.resize(nbytes)
  local taken = number_in(P .. 'usage', ALL)
  if taken > tonumber(nbytes) then return taken end
  redis.call('SET', P .. 'budget', nbytes)
  return -1
end

function verbs.lock(name, holder, milliseconds)
  local at = P .. 'lock:' .. name
  works_when_full()
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
