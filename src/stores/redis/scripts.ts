/*
 * One string a key, "held:<token>" or "done:<token>", which Redis itself drops when its lease or retention ends. Each script
 * touches that one key, so that it runs on any node of a cluster, and each gives an integer, which every client and both
 * versions of the protocol show alike. Only commands that Redis 6.2 has.
 */

/** Claims: 0 where it is claimed now, -1 where the event is done, else the milliseconds for which another holds it. */
export const CLAIM = `
local mine = 'held:' .. ARGV[1]
local known = redis.call('GET', KEYS[1])
if known and known ~= mine then
  if string.sub(known, 1, 5) == 'done:' then return -1 end
  return math.max(redis.call('PTTL', KEYS[1]), 1)
end
redis.call('SET', KEYS[1], mine, 'PX', ARGV[2])
return 0
`;

/** Renews: 1, or 0 where the claim is lost. */
export const RENEW = `
if redis.call('GET', KEYS[1]) ~= 'held:' .. ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;

/** Completes: 1 where it is stored, 0 where another holds the event, -1 where another has completed it. */
export const COMPLETE = `
local known = redis.call('GET', KEYS[1])
if known == 'done:' .. ARGV[1] then return 1 end
if known and known ~= 'held:' .. ARGV[1] then
  if string.sub(known, 1, 5) == 'done:' then return -1 end
  return 0
end
redis.call('SET', KEYS[1], 'done:' .. ARGV[1], 'PX', ARGV[2])
return 1
`;

/** Releases: 1 where this token's claim stood, else 0. */
export const RELEASE = `
if redis.call('GET', KEYS[1]) ~= 'held:' .. ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`;

/** Tells the maxmemory-policy of the node that has the key. A script, so that it is routed as every other command is. */
export const EVICTION_POLICY = `
return string.match(redis.call('INFO', 'memory'), 'maxmemory_policy:([%w-]+)')
`;
