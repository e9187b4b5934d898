// Before anything is painted: the colors that the reader chose, if any.
// Some browsers refuse storage to files; then the system decides.
try {
  const chosen = localStorage.getItem("cnnbook-colors");
  if (chosen) document.documentElement.dataset.theme = chosen;
} catch {}
