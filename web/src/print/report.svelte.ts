/** Whether a report is being made: then it is what goes on paper, and not the map alone. */
class Reporting {
  open = $state(false);
}

export const reporting = new Reporting();
