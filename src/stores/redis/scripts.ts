import { createHash } from "node:crypto";

/*
 * One string per key, "held:<token>" or "done:<token>", which Redis itself drops when the lease or the retention expires. Each
 * script uses that one key, so that it runs on any node of a cluster, and returns an integer, which every client and both versions
 * of the protocol return alike. All commands exist in Redis 6.2.
 */

/** A script, and the hash under which Redis keeps it. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

/** Claims. 0: claimed. -1: completed. Above 0: another holds the claim for that many milliseconds. */
export const CLAIM: Script = script(`
local mine = 'held:' .. ARGV[1]
local known = redis.call('GET', KEYS[1])
if known and known ~= mine then
  if string.sub(known, 1, 5) == 'done:' then return -1 end
  return math.max(redis.call('PTTL', KEYS[1]), 1)
end
redis.call('SET', KEYS[1], mine, 'PX', ARGV[2])
return 0
`);

/** Renews. 1: renewed. 0: the claim is lost. */
export const RENEW: Script = script(`
if redis.call('GET', KEYS[1]) ~= 'held:' .. ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`);

/** Completes. 1: stored. 0: another holds the claim. -1: another has completed the event. */
export const COMPLETE: Script = script(`
local known = redis.call('GET', KEYS[1])
if known == 'done:' .. ARGV[1] then return 1 end
if known and known ~= 'held:' .. ARGV[1] then
  if string.sub(known, 1, 5) == 'done:' then return -1 end
  return 0
end
redis.call('SET', KEYS[1], 'done:' .. ARGV[1], 'PX', ARGV[2])
return 1
`);

/** Releases. 1: released. 0: this token holds no claim. */
export const RELEASE: Script = script(`
if redis.call('GET', KEYS[1]) ~= 'held:' .. ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`);

/** The maxmemory-policy of the node that has the key. It is a script, so that it is routed like the others. */
export const EVICTION_POLICY: Script = script(`
return string.match(redis.call('INFO', 'memory'), 'maxmemory_policy:([%w-]+)')
`);

function script(lua: string): Script {
  return { lua, sha: createHash("sha1").update(lua).digest("hex") };
}
