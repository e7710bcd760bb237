/* A file that is too large is refused here, before a byte of it travels; the server refuses it too. */
document.querySelectorAll("input[type=file][data-limit]").forEach((input) => {
  input.addEventListener("change", () => {
    const file = input.files[0];
    input.setCustomValidity(file && file.size > Number(input.dataset.limit) ? input.dataset.message : "");
    input.reportValidity();
  });
  input.form.addEventListener("submit", (event) => {
    if (!input.checkValidity()) {
      event.preventDefault();
      input.reportValidity();
    }
  });
});
