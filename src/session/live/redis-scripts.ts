/**
 * Each script runs in Redis as one step. KEYS: the session (a hash: owner, spent, high) and the sessions of its user (a
 * sorted set: the time at which each place expires). ARGV: this server, the session's id, milliseconds for which places
 * and records are kept; then what the script needs.
 *
 * Times are those of Redis, so that the clocks of servers do not matter. What has another form than these scripts write
 * counts as absent, and is overwritten.
 */
const common = `
local session, user = KEYS[1], KEYS[2]
local server, id, placeMs, recordMs = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('TYPE', session).ok ~= 'hash' then redis.call('DEL', session) end
if redis.call('TYPE', user).ok ~= 'zset' then redis.call('DEL', user) end

local function read(name)
  local text = redis.call('HGET', session, name)
  if not text or #text > 15 or not string.match(text, '^%d+$') then return 0 end
  return tonumber(text)
end

local function write(name, value)
  redis.call('HSET', session, name, string.format('%.0f', value))
end

local function keep()
  redis.call('ZADD', user, now + placeMs, id)
  redis.call('PEXPIRE', user, placeMs)
  redis.call('PEXPIRE', session, recordMs)
end

local function isOwner()
  return redis.call('HGET', session, 'owner') == server
end
`;

/** ARGV: the token's number (0: a new session), the user's limit, the step between servers. Returns as `claimAnswers`. */
export const claimScript = `${common}
local counter, most, step = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local spent = read('spent')
if counter > 0 and counter <= spent then return -1 end
redis.call('ZREMRANGEBYSCORE', user, '-inf', now)
redis.call('ZREMRANGEBYSCORE', user, now + placeMs + 1, '+inf')
-- A session that moves has its place already.
local others = redis.call('ZCARD', user) - (redis.call('ZSCORE', user, id) and 1 or 0)
if others >= most then return -2 end
redis.call('HSET', session, 'owner', server)
-- The token in use stays valid: its client may not have the next one yet.
write('spent', math.max(spent, counter - 1))
-- The former owner may go on for a moment, and must not issue the same numbers.
local high = math.max(read('high'), counter) + step
write('high', high)
keep()
return high
`;

export const claimAnswers = { spent: -1, tooMany: -2 } as const;

/**
 * ARGV: the number up to which the server knows tokens as spent. Returns 0 if another server has the session, else 1; the
 * store may have lost its records meanwhile.
 */
export const renewScript = `${common}
if redis.call('HEXISTS', session, 'owner') == 1 and not isOwner() then return 0 end
redis.call('HSET', session, 'owner', server)
write('spent', math.max(read('spent'), tonumber(ARGV[5])))
keep()
return 1
`;

/** ARGV: the number up to which tokens are spent from now on. Returns 1. */
export const spendScript = `${common}
if isOwner() then
  write('spent', math.max(read('spent'), tonumber(ARGV[5])))
  redis.call('PEXPIRE', session, recordMs)
end
return 1
`;

/** Returns 1. */
export const releaseScript = `${common}
if isOwner() then redis.call('ZREM', user, id) end
return 1
`;
