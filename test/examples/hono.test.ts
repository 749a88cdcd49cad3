import { exampleContract } from "./contract.ts";

exampleContract("hono");
