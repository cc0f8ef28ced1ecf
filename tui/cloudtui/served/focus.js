// Keys go to the desktop at once and whenever its window is come back to: textual-serve waits for a click.
function focus() {
  const keys = document.querySelector(".xterm-helper-textarea");
  if (keys) {
    keys.focus();
  } else {
    requestAnimationFrame(focus);
  }
}
window.addEventListener("load", focus);
window.addEventListener("focus", focus);
