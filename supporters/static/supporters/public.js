// Leaves at once, and takes this page's place in the history with it.
document.addEventListener("click", function (event) {
  var link = event.target.closest("[data-exit]");
  if (!link) return;
  event.preventDefault();
  document.documentElement.hidden = true;
  window.top.location.replace(link.href); // of a page that is framed, too
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
