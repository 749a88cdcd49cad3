import type { ALBEvent, APIGatewayProxyEvent, APIGatewayProxyEventV2, LambdaFunctionURLEvent } from "aws-lambda";

/** A request at a gateway: every value of every header, and the body as in the event. */
export interface AtGateway {
  readonly method: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: string | null;
  readonly isBase64Encoded: boolean;
}

/** The sources of HTTP events, each with a recorded event in which the request is replaced. */
export const SOURCES = {
  "API Gateway, REST": restEvent,
  "API Gateway, HTTP": httpEvent,
  "a Function URL": functionUrlEvent,
  "a load balancer": albEvent,
  "a load balancer with multi-value headers": albMultiValueEvent,
} as const;

/** REST keeps the case of names, the last value in `headers` and all values in `multiValueHeaders`. */
function restEvent({ method, headers, body, isBase64Encoded }: AtGateway): APIGatewayProxyEvent {
  return {
    resource: "/webhooks/bluum",
    path: "/webhooks/bluum",
    httpMethod: method,
    headers: { Host: "70ixmpl4fl.execute-api.us-east-2.amazonaws.com", ...mapped(headers, lastOf) },
    multiValueHeaders: {
      Host: ["70ixmpl4fl.execute-api.us-east-2.amazonaws.com"],
      ...mapped(headers, (values) => [...values]),
    },
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters: null,
    stageVariables: null,
    requestContext: {
      resourceId: "2gxmpl",
      resourcePath: "/webhooks/bluum",
      httpMethod: method,
      extendedRequestId: "JJbxmplHYosFVYQ=",
      requestTime: "10/Mar/2020:00:03:59 +0000",
      path: "/Prod/webhooks/bluum",
      accountId: "123456789012",
      protocol: "HTTP/1.1",
      stage: "Prod",
      domainPrefix: "70ixmpl4fl",
      requestTimeEpoch: 1583798639428,
      requestId: "77375676-xmpl-4b79-853a-f982474efe18",
      identity: {
        cognitoIdentityPoolId: null,
        accountId: null,
        cognitoIdentityId: null,
        caller: null,
        sourceIp: "52.255.255.12",
        principalOrgId: null,
        accessKey: null,
        apiKey: null,
        apiKeyId: null,
        clientCert: null,
        cognitoAuthenticationType: null,
        cognitoAuthenticationProvider: null,
        userArn: null,
        userAgent: "bluum-webhooks",
        user: null,
      },
      domainName: "70ixmpl4fl.execute-api.us-east-2.amazonaws.com",
      apiId: "70ixmpl4fl",
      authorizer: null,
    },
    body,
    isBase64Encoded,
  };
}

/** HTTP APIs write names in lower case and join values by commas; a missing body is left out. */
function httpEvent({ method, headers, body, isBase64Encoded }: AtGateway): APIGatewayProxyEventV2 {
  return {
    version: "2.0",
    routeKey: "ANY /webhooks/bluum",
    rawPath: "/webhooks/bluum",
    rawQueryString: "",
    headers: { host: "r3pmxmplak.execute-api.us-east-2.amazonaws.com", ...joined(headers) },
    requestContext: {
      accountId: "123456789012",
      apiId: "r3pmxmplak",
      domainName: "r3pmxmplak.execute-api.us-east-2.amazonaws.com",
      domainPrefix: "r3pmxmplak",
      http: {
        method,
        path: "/webhooks/bluum",
        protocol: "HTTP/1.1",
        sourceIp: "205.255.255.176",
        userAgent: "bluum-webhooks",
      },
      requestId: "JKJaXmPLvHcESHA=",
      routeKey: "ANY /webhooks/bluum",
      stage: "$default",
      time: "10/Mar/2020:05:16:23 +0000",
      timeEpoch: 1583817383220,
    },
    ...(body === null ? {} : { body }),
    isBase64Encoded,
  };
}

function functionUrlEvent(request: AtGateway): LambdaFunctionURLEvent {
  const event = httpEvent(request);
  const domainName = "abcdefghijk.lambda-url.us-east-2.on.aws";
  return {
    ...event,
    routeKey: "$default",
    headers: { ...event.headers, host: domainName },
    requestContext: {
      ...event.requestContext,
      apiId: "abcdefghijk",
      domainName,
      domainPrefix: "abcdefghijk",
      routeKey: "$default",
    },
  };
}

/** Without multi-value headers a load balancer keeps the last value of each. */
function albEvent({ method, headers, body, isBase64Encoded }: AtGateway): ALBEvent {
  return { ...albBase(method), headers: mapped(lowerCased(headers), lastOf), body: body ?? "", isBase64Encoded };
}

function albMultiValueEvent({ method, headers, body, isBase64Encoded }: AtGateway): ALBEvent {
  const multiValueHeaders = mapped(lowerCased(headers), (values) => [...values]);
  return { ...albBase(method), multiValueHeaders, body: body ?? "", isBase64Encoded };
}

function albBase(httpMethod: string): Pick<ALBEvent, "requestContext" | "httpMethod" | "path"> {
  const targetGroupArn =
    "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/lambda-279XGJDqGZ5rsrHC2Fjr/49e9d65c45c6791a";
  return { requestContext: { elb: { targetGroupArn } }, httpMethod, path: "/webhooks/bluum" };
}

type Lists = AtGateway["headers"];

function mapped<T>(headers: Lists, to: (values: readonly string[]) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, to(values)]));
}

function lowerCased(headers: Lists): Lists {
  return Object.fromEntries(Object.entries(headers).map(([name, values]) => [name.toLowerCase(), values]));
}

function joined(headers: Lists): Record<string, string> {
  return mapped(lowerCased(headers), (values) => values.join(","));
}

function lastOf(values: readonly string[]): string {
  return values.at(-1) ?? "";
}
