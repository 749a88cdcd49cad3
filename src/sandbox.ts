/** The door `bluum-webhooks/sandbox`: the provider on localhost. */
export {};
