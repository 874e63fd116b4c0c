class AdminSite:
    actions = ("delete_selected",)


site = AdminSite()
