// Fills in what the list of images leaves out: the dimensions, read from an image's info.json once it comes into view.

// Asked for where the thumbnail comes from: the link to info.json bears the public address, and that may be another
// origin than the one this page was opened at.
const infoUrl = (item) => item.querySelector('img').src.replace(/\/full\/[^?]*$/, '/info.json');

async function showDimensions(item) {
  const place = item.querySelector('.dimensions');
  try {
    const response = await fetch(infoUrl(item));
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    const { width, height } = await response.json();
    place.textContent = `${width} × ${height}`;
  } catch (error) {
    place.textContent = `Not readable (${error.message})`;
  }
}

const observer = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    observer.unobserve(target);
    showDimensions(target);
  }
});

for (const item of document.querySelectorAll('.images li')) observer.observe(item);
