// Structured logs: a JSON object a line, for the app and for the receiver.
import { pino } from "pino";

export const log = pino({ level: process.env.LOG_LEVEL ?? "info" });
