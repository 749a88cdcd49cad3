declare module "*/examples/observability/prometheus.mjs" {
  /** A running Prometheus. */
  export interface Prometheus {
    readonly url: string;
    alerts(): Promise<
      readonly {
        readonly labels: Readonly<Record<string, string>>;
        readonly annotations: Readonly<Record<string, string>>;
        readonly state: "pending" | "firing";
      }[]
    >;
    query(expr: string): Promise<readonly unknown[]>;
    stop(): Promise<void>;
  }
  export function startPrometheus(options: {
    readonly folder: string;
    readonly target: string;
    readonly rules: string;
    readonly intervalMs: number;
    readonly history?: string;
  }): Promise<Prometheus>;
}
