import type { InboxUnderTest } from "../../src/testing/inbox-contract.ts";
import { PlainBackend, PlainInbox } from "./plain-inbox.ts";

const retry = { attempts: 3, backoffMs: 100, maxBackoffMs: 500 };

/** A plain inbox and its peer, or a broken one. */
export function plain(Class: typeof PlainInbox = PlainInbox): InboxUnderTest & { readonly inbox: PlainInbox } {
  const backend = new PlainBackend();
  const inbox = new Class(backend, retry);
  const cutOff = () => {
    inbox.away = true;
    return () => {
      inbox.away = false;
    };
  };
  return { inbox, peer: new Class(backend, retry), retry, cutOff, keeps: { order: true } };
}
