import type {
  ALBHandler,
  APIGatewayProxyHandler,
  APIGatewayProxyHandlerV2,
  Context,
  LambdaFunctionURLHandler,
} from "aws-lambda";
import { bluumHandler, type LambdaContext, type LambdaHttpEvent } from "../../adapters/lambda.ts";
import type { Receiver } from "../../src/index.ts";
import { use } from "./equal.ts";

declare const receiver: Receiver;
declare const context: Context;

// As each of the handlers that @types/aws-lambda knows.
const rest: APIGatewayProxyHandler = bluumHandler(receiver);
const http: APIGatewayProxyHandlerV2 = bluumHandler(receiver);
const url: LambdaFunctionURLHandler = bluumHandler(receiver);
const alb: ALBHandler = bluumHandler(receiver);
const time: LambdaContext = context;
use(rest, http, url, alb, time);

// Without those types, as a custom function.
const event: LambdaHttpEvent = { requestContext: { http: { method: "POST" } }, body: "{}", isBase64Encoded: false };
void bluumHandler(receiver)(event).then(({ statusCode, body }) => use(statusCode.toFixed(), body.length));

// @ts-expect-error the handler needs a receiver that has handlers
bluumHandler({ secret: "" });
