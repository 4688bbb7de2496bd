// <form data-passkey="create|get" data-options="{…}">: hidden until a browser that knows passkeys shows it. Sent, it asks
// the authenticator first, then leaves with its answer in the hidden field: the server alone judges it.
async function ask(form, event) {
  event.preventDefault();
  const { passkey: kind, options, known, failed } = form.dataset;
  const [button, failure] = [form.querySelector("[type=submit]"), form.querySelector("[data-passkey-failure]")];
  failure.hidden = button.disabled = true;
  try {
    const read = kind === "create" ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON";
    const publicKey = PublicKeyCredential[read](JSON.parse(options));
    form.elements.passkey.value = JSON.stringify(await navigator.credentials[kind]({ publicKey }));
    form.submit();
  } catch (error) {
    failure.textContent = error.name === "InvalidStateError" ? known : failed;
    failure.hidden = button.disabled = false;
  }
}

// Only the pages that ask for a key load this module: the others stay one request lighter.
function passkey(root) {
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) return;
  for (const form of root.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => ask(form, event));
  }
  for (const area of root.querySelectorAll("[data-passkey-area]")) area.hidden = false;
  for (const words of root.querySelectorAll("[data-passkey-without]")) words.hidden = true;
}

passkey(document);
