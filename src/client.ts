/** The door `bluum-webhooks/client`: managing the provider's webhook endpoints. */
export {};
