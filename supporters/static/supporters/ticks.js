/* Buttons that tick all the boxes of their group, or none. Without JavaScript they stay hidden. */
document.querySelectorAll("button[data-tick]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => {
    const boxes = button.closest("fieldset").querySelectorAll("input[type=checkbox]:not(:disabled)");
    boxes.forEach((box) => (box.checked = button.dataset.tick === "all"));
  });
});
