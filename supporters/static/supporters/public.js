// Leaves at once, by the button or by Escape three times, and takes this page's place in the history with it.
const exit = document.querySelector("[data-exit]");
const leave = () => {
  document.title = "";
  document.documentElement.hidden = true;
  window.top.location.replace(exit.href); // of a page that is framed, too
};
let escapes = [];
exit?.addEventListener("click", (event) => {
  event.preventDefault();
  leave();
});
if (exit) document.addEventListener("keydown", (event) => {
  escapes = event.key === "Escape" && !event.repeat ? [...escapes, event.timeStamp].slice(-3) : [];
  if (escapes.length === 3 && event.timeStamp - escapes[0] < 3000) leave();
});

// Who has to wait may go on sooner: the browser solves a puzzle beside the page. Without it, the seconds told are enough.
for (const status of document.querySelectorAll("[data-puzzle]")) {
  if (!window.Worker || !(window.crypto && window.crypto.subtle)) break;
  const worker = new Worker(status.dataset.solver);
  worker.onmessage = ({ data: solution }) => {
    status.closest("form").elements.solved.value = solution;
    status.textContent = status.dataset.done;
    worker.terminate();
  };
  worker.onerror = () => { status.textContent = ""; };
  status.textContent = status.dataset.trying;
  worker.postMessage(JSON.parse(status.dataset.puzzle));
}

// Keeps the counter fresh while somebody looks at it. Without this it is as fresh as the page.
document.querySelectorAll("[data-live]").forEach(function (counter) {
  function look() {
    if (document.visibilityState !== "visible") return;
    fetch(counter.dataset.live)
      .then(function (answer) {
        return answer.ok ? answer.text() : counter.innerHTML;
      })
      .then(function (now) {
        if (now !== counter.innerHTML) counter.innerHTML = now;
      })
      .catch(function () {});
  }
  setInterval(look, 20000);
  document.addEventListener("visibilitychange", look);
});
