import { reasonOf } from "../../../page/model/call.ts";
import { reportDone, reportError, reportNothing } from "../../../page/model/notices.ts";
import { visible } from "../../../page/model/visible-text.ts";
import { plural } from "../../../page/model/words.ts";
import type { AddedEndpoint, EndpointView, Started } from "../../page-api.ts";
import {
  type NewEndpoint,
  patchEndpoint,
  postDuplicate,
  postEndpoint,
  postEvent,
  postForgery,
  postReplay,
  postReplayParked,
  postScenario,
} from "./api.ts";
import { putEndpoint } from "./world.ts";

/** What the buttons do. Each reports its result as a notice and never rejects. */
export const actions = {
  scenario: (name: string, title: string): Promise<void> => start(title, postScenario(name)),
  event: (type: string, data?: unknown): Promise<void> => start(visible(type), postEvent(type, data)),
  duplicate: (id: string): Promise<void> => start("Duplicate", postDuplicate(id)),
  replay: (id: string): Promise<void> => start("Replay", postReplay(id)),
  forge: (id: string, kind: string): Promise<void> => start("Forgery", postForgery(id, kind)),
  replayParked: (): Promise<void> => start("Parked deliveries", postReplayParked(), "nothing to replay."),
  setStatus,
};

async function start(
  what: string,
  started: Promise<Started>,
  whereNone = "nothing is sent, since no active endpoint subscribes to it.",
): Promise<void> {
  try {
    const { deliveryIds } = await started;
    const [first] = deliveryIds;
    if (first === undefined) reportNothing(`${what}: ${whereNone}`);
    else reportDone(`${what}: ${plural(deliveryIds.length, "delivery", "deliveries")} on the way.`, first);
  } catch (error) {
    reportError(`${what}: ${reasonOf(error)}`);
  }
}

async function setStatus(endpoint: EndpointView, status: EndpointView["status"]): Promise<void> {
  const name = visible(endpoint.name);
  try {
    putEndpoint(await patchEndpoint(endpoint.id, status));
    reportDone(status === "ACTIVE" ? `${name} is active again.` : `${name} is paused: nothing new is sent to it.`);
  } catch (error) {
    reportError(`${name}: ${reasonOf(error)}`);
  }
}

/** Registers an endpoint. Returns the reason if that fails, for the form to show next to its fields. */
export async function addEndpoint(fields: NewEndpoint): Promise<AddedEndpoint | string> {
  try {
    const added = await postEndpoint(fields);
    const { secret: _, ...endpoint } = added;
    putEndpoint(endpoint);
    return added;
  } catch (error) {
    return reasonOf(error);
  }
}
