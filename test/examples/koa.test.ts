import { exampleContract } from "./contract.ts";

exampleContract("koa");
