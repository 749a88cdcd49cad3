// `npm run demo`: runs examples/demo in a clone, with a link to this package in place of `npm install`.
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";

const modules = fileURLToPath(new URL("../examples/demo/node_modules/", import.meta.url));
const link = `${modules}bluum-webhooks`;
mkdirSync(modules, { recursive: true });
if (!existsSync(link)) symlinkSync(fileURLToPath(new URL("..", import.meta.url)), link, "junction");

await import("../examples/demo/demo.mjs");
