// How the cost of an event grows: with the remembered ids, with patterns and handlers, with the deliveries in flight.
import { measureHandlers, measurePatterns } from "../scale/handlers.mjs";
import { measureInFlight } from "../scale/in-flight.mjs";
import { measureMemoryIds, measureRedisIds } from "../scale/remembered-ids.mjs";

export async function measure(effort) {
  return [
    ...(await measureMemoryIds(effort)),
    ...(await measureRedisIds(effort)),
    ...(await measurePatterns(effort)),
    ...(await measureHandlers(effort)),
    ...(await measureInFlight(effort)),
  ];
}
