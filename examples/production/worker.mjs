// Runs the handlers. Start as many as you like; the events of one that dies are taken over.
import "./telemetry.mjs";
import { boss } from "./database.mjs";
import { log } from "./log.mjs";
import { receiver } from "./receiver.mjs";
import { closeOnSignal } from "./shutdown.mjs";

await boss.start();
receiver.work({ concurrency: Number(process.env.CONCURRENCY ?? 10) });
log.info("waiting for events");
closeOnSignal();
