import { signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { visible } from "../../../page/model/visible-text.ts";
import { Code } from "../../../page/view/copy-button.tsx";
import type { AddedEndpoint } from "../../page-api.ts";
import { addEndpoint } from "../model/actions.ts";
import type { NewEndpoint as Fields } from "../model/api.ts";
import { ENDPOINT_URL_ID } from "./element-ids.ts";
import { goTo } from "./shortcuts.ts";

const isOpen = signal(false);

/** Opens the form that adds an endpoint, and moves the focus there. */
export function openEndpointForm(): void {
  isOpen.value = true;
  goTo("send", ENDPOINT_URL_ID);
}

/** The head of the endpoints panel: the form that adds an endpoint, then the secret of the new one, once. */
export function NewEndpoint(): JSX.Element {
  const added = useSignal<AddedEndpoint | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const closeForm = () => {
    isOpen.value = false;
    button.current?.focus();
  };
  const clearSecret = () => {
    added.value = null;
    button.current?.focus();
  };
  return (
    <>
      <div class="card-head">
        <h2 id="endpoints-title">Endpoints</h2>
        <button
          ref={button}
          type="button"
          class="small"
          aria-expanded={isOpen.value}
          onClick={() => (isOpen.value ? closeForm() : openEndpointForm())}
        >
          Add endpoint
        </button>
      </div>
      {isOpen.value && (
        <EndpointForm
          onAdded={(endpoint) => {
            added.value = endpoint;
            isOpen.value = false;
          }}
          onCancel={closeForm}
        />
      )}
      {added.value !== null && <Secret key={added.value.id} endpoint={added.value} onDone={clearSecret} />}
    </>
  );
}

interface FormProps {
  readonly onAdded: (endpoint: AddedEndpoint) => void;
  readonly onCancel: () => void;
}

function EndpointForm({ onAdded, onCancel }: FormProps): JSX.Element {
  const trouble = useSignal<string | null>(null);
  const isSending = useSignal(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isSending.value) return;
    isSending.value = true;
    const added = await addEndpoint(fieldsOf(event.target as HTMLFormElement));
    isSending.value = false;
    if (typeof added === "string") trouble.value = added;
    else onAdded(added);
  };
  return (
    <form class="new-endpoint" aria-label="Add endpoint" onSubmit={submit}>
      <label>
        URL
        <input id={ENDPOINT_URL_ID} name="url" type="url" required placeholder="http://localhost:3000/webhooks/bluum" />
      </label>
      <label>
        Name (optional)
        <input name="name" autocomplete="off" maxLength={100} />
      </label>
      <label>
        Event types (optional)
        <input name="types" placeholder="order.*, transfer.*" autocomplete="off" spellcheck={false} />
      </label>
      <p class="muted count">Without event types it receives all events.</p>
      <div role="alert">{trouble.value !== null && <p class="trouble">{trouble.value}</p>}</div>
      <div class="buttons">
        <button type="submit" class="primary">
          Add
        </button>
        <button type="button" class="quiet" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function fieldsOf(form: HTMLFormElement): Fields {
  const [url = "", name = "", types = ""] = ["url", "name", "types"].map((field) =>
    String(new FormData(form).get(field)).trim(),
  );
  const eventTypeNames = types.split(/[\s,]+/).filter((type) => type !== "");
  return { url, ...(name === "" ? {} : { name }), ...(eventTypeNames.length === 0 ? {} : { eventTypeNames }) };
}

interface SecretProps {
  readonly endpoint: AddedEndpoint;
  readonly onDone: () => void;
}

function Secret({ endpoint, onDone }: SecretProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section class="new-endpoint" aria-labelledby="secret-title">
      <h3 id="secret-title" tabIndex={-1} ref={heading}>
        Endpoint added
      </h3>
      <p>
        This is the secret of <strong>{visible(endpoint.name)}</strong>. Give it to your receiver. It is shown here
        once.
      </p>
      <Code code={endpoint.secret} what="the secret" />
      <div class="buttons">
        <button type="button" onClick={onDone}>
          Done
        </button>
      </div>
    </section>
  );
}
