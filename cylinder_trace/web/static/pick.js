// One box chooses all alerts of the page. Without scripts it is not there, and each is chosen by itself.
const all = document.querySelector('[data-picks-all]');
if (all) {
  const boxes = [...document.querySelectorAll('.pick input')];
  all.closest('label').hidden = boxes.length < 2;
  all.addEventListener('change', () => { for (const box of boxes) box.checked = all.checked; });
}
