/** Whether clicks are shown as they come: of one window, not of the address. */
class Opened {
  open = $state(false);
  toggle = () => (this.open = !this.open);
}

export const liveness = new Opened();
