import type { Changes } from "../changes.ts";
import type { Operations } from "../operations.ts";
import type { SandboxParts } from "../parts.ts";
import { type Credentials, callerBy } from "./credentials.ts";
import { EventStreams } from "./event-stream.ts";
import { Inspector } from "./inspector.ts";
import { ManagementApi } from "./management.ts";
import { listen } from "./server.ts";
import { snapshotOf } from "./snapshot.ts";

/** What the server works with. */
export interface ServedParts {
  readonly parts: SandboxParts;
  readonly operations: Operations;
  readonly changes: Changes;
  readonly tenant: Credentials;
  readonly investor: Credentials;
}

/** A server that is listening. */
export interface Serving {
  /** Such as `http://127.0.0.1:4010`, without a slash at the end. */
  readonly url: string;
  /** Ends every connection. */
  close(): Promise<void>;
}

/**
 * Serves the management API and the inspector.
 *
 * @throws WebhookError `configuration_invalid` if the port or the address is not available
 */
export async function serve({ parts, operations, changes, tenant, investor }: ServedParts): Promise<Serving> {
  const { host, port, responseShape, listShape, errorShape } = parts.settings;
  const page = await inspectorPage();
  const management = new ManagementApi({
    ...{ registry: parts.registry, responseShape, listShape, errorShape },
    callerOf: callerBy(tenant, investor),
  });
  const streams = new EventStreams(changes);
  // Called only by requests, and so after the server has its port.
  const url = () => `http://${authority(host)}:${server.port}`;
  const snapshot = () => snapshotOf(parts, { changes, tenant, baseUrl: `${url()}/v1` });
  const inspector = new Inspector({ operations, streams, snapshot, page });
  const server = await listen(host, port, { management, inspector }).catch((error) => {
    streams.close();
    throw error;
  });
  return {
    url: url(),
    close() {
      streams.close();
      return server.close();
    },
  };
}

/** The page's file is found by `import.meta`, which is missing if a test runner such as Jest has turned the modules into CommonJS. */
async function inspectorPage(): Promise<string | undefined> {
  const file = await import("../../page/server/page-file.ts").catch(() => undefined);
  return file?.readPage("sandbox/page.html");
}

/** The address by which clients on this machine reach the server. */
function authority(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
