import { connect, createServer, type Server, type Socket } from "node:net";
import { listen } from "./ports.ts";

/** What the proxy does with what the server answers. */
type Replies = "pass" | "hold" | "lose";

/** A TCP proxy that does to a connection what networks do. */
export interface FlakyProxy {
  readonly port: number;
  /** Takes connections from now on; before, and after `refuse`, they are refused as where nothing listens. */
  open(): Promise<void>;
  /** Cuts every connection and refuses new ones. */
  refuse(): Promise<void>;
  /** Cuts every connection; new ones are taken. */
  cut(): void;
  /** Cuts every connection; new ones go to another port, as after a failover. */
  switchTo(port: number): void;
  /** The server goes on to get what is sent; what it answers is held back until `pass`. */
  holdReplies(): void;
  /** As `holdReplies`, but the answers are lost. */
  loseReplies(): void;
  /** Forwards nothing in either direction: connections stand, as before a server that hangs. */
  stall(): void;
  /** Hands on what was held back, and all that comes. */
  pass(): void;
  /** Everything that clients have sent, as text. */
  sent(): string;
  /** Resolves once the clients have sent `text`, and the server has it. */
  hasSent(text: string): Promise<void>;
  close(): Promise<void>;
}

/** Makes a proxy before a port, of this machine unless told otherwise; open unless told otherwise. */
export async function flakyProxy(
  port: number,
  { state = "open", host = "127.0.0.1" }: { readonly state?: "open" | "refusing"; readonly host?: string } = {},
): Promise<FlakyProxy> {
  const sockets = new Set<Socket>();
  const held: (() => void)[] = [];
  let target = port;
  let replies: Replies = "pass";
  let stalled = false;
  let sent = "";
  let listener: (() => void) | undefined;
  let server: Server | undefined;

  function take(client: Socket): void {
    const upstream = connect(target, host);
    pair(client, upstream);
    client.on("data", (bytes) => {
      upstream.write(bytes);
      sent += bytes.toString("latin1");
      listener?.();
    });
    upstream.on("data", (bytes) => {
      if (replies === "pass") client.write(bytes);
      if (replies === "hold") held.push(() => client.write(bytes));
    });
    if (stalled) for (const socket of [client, upstream]) socket.pause();
  }

  function pair(one: Socket, other: Socket): void {
    for (const [socket, peer] of [
      [one, other],
      [other, one],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        peer.destroy();
      });
    }
  }

  function cut(): void {
    for (const socket of sockets) socket.destroy();
    held.length = 0;
  }

  const [first, chosen] = await listen(createServer(take));
  server = first;
  const proxy: FlakyProxy = {
    port: chosen,
    async open() {
      if (!server) [server] = await listen(createServer(take), chosen);
    },
    async refuse() {
      const closing = server;
      server = undefined;
      cut();
      await new Promise((resolve) => (closing ? closing.close(resolve) : resolve(undefined)));
    },
    cut,
    switchTo(next) {
      target = next;
      cut();
    },
    holdReplies() {
      replies = "hold";
    },
    loseReplies() {
      replies = "lose";
    },
    stall() {
      stalled = true;
      for (const socket of sockets) socket.pause();
    },
    pass() {
      stalled = false;
      for (const socket of sockets) socket.resume();
      replies = "pass";
      for (const write of held.splice(0)) write();
    },
    sent: () => sent,
    hasSent: (text) =>
      new Promise((resolve) => {
        listener = () => void (sent.includes(text) && resolve());
        listener();
      }),
    close: () => proxy.refuse(),
  };
  if (state === "refusing") await proxy.refuse();
  return proxy;
}
