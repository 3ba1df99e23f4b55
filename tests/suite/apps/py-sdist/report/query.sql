select name from customer
