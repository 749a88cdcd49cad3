import { exampleContract } from "./contract.ts";

exampleContract("express");
