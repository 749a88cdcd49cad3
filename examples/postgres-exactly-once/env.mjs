// Reads .env, if it exists. Variables that are already set win. From Node 22.9: node --env-file-if-exists=.env
import { existsSync } from "node:fs";

if (existsSync(".env")) process.loadEnvFile(".env");
