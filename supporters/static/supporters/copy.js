/* Buttons that copy what stands in a field. Without JavaScript they stay hidden. */
document.querySelectorAll("button[data-copy]").forEach((button) => {
  const field = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy"); // where the page did not come by TLS
    }
    button.textContent = button.dataset.done;
  });
});
