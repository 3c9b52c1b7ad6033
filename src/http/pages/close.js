// The last page of a login or a logout: the viewer that opened the window waits for it to close.
window.close();
